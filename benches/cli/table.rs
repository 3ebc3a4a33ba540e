//! The results as text, as the table of docs/performance.md, and as the short table of README.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use crate::measure::Cost;

/// One comparison; ratios are to its first row.
pub struct Section {
    pub what: String,
    pub rounds: usize,
    pub rows: Vec<Row>,
}

/// One program of a comparison.
pub struct Row {
    pub name: String,
    pub cost: Cost,
    /// The number of requests of one run; `None` if they were not counted.
    pub requests: Option<usize>,
    /// A command that is run once more to count its requests.
    pub example: Option<Vec<String>>,
}

/// The sections that README shows, by the start of their titles.
const SUMMARY: [&str; 4] = ["`inspect`", "`ls` of ", "`update-image ", "update the image of 200 "];

const BEGIN: &str = "<!-- made by scripts/bench -->\n";
const END: &str = "<!-- end of what scripts/bench made -->\n";

impl Section {
    pub fn as_text(&self) -> String {
        let mut text = format!("\n{} (median of {})\n", self.what, self.rounds);
        let _ = writeln!(
            text,
            "{:<62}{:>10}{:>8}{:>10}{:>8}{:>8}",
            "", "wall ms", "ratio", "CPU ms", "ratio", "MiB"
        );
        for row in &self.rows {
            let [wall, wall_ratio, cpu, cpu_ratio, memory] = self.cells(row);
            let _ =
                writeln!(text, "{:<62}{wall:>10}{wall_ratio:>8}{cpu:>10}{cpu_ratio:>8}{memory:>8}", row.name);
        }
        text
    }

    fn cells(&self, row: &Row) -> [String; 5] {
        let first = self.rows[0].cost;
        let ratio = |own: Duration, first: Duration| {
            format!("{:.2}", own.as_secs_f64() / first.as_secs_f64().max(1e-9))
        };
        let millis = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        [
            millis(row.cost.wall),
            ratio(row.cost.wall, first.wall),
            millis(row.cost.cpu),
            ratio(row.cost.cpu, first.cpu),
            format!("{:.1}", row.cost.memory as f64 / 1024.0),
        ]
    }

    fn as_markdown(&self) -> String {
        let mut text = String::new();
        for (at, row) in self.rows.iter().enumerate() {
            let what = if at == 0 { self.what.as_str() } else { "" };
            let [wall, wall_ratio, cpu, cpu_ratio, memory] = self.cells(row);
            let requests = row.requests.map_or_else(|| "-".to_owned(), |count| count.to_string());
            let _ = writeln!(
                text,
                "| {what} | {} | {wall} | {wall_ratio} | {cpu} | {cpu_ratio} | {memory} | {requests} |",
                row.name
            );
        }
        text
    }

    /// A row of README: ratios of swarmctl to the fastest way to do the same with docker, then time and peak memory of both.
    fn as_summary(&self) -> Option<String> {
        SUMMARY.iter().find(|start| self.what.starts_with(**start))?;
        let ours = self.rows.iter().find(|row| row.name.starts_with("swarmctl"))?;
        let docker = self.rows.iter().filter(|row| row.name.contains("docker"));
        let docker = docker.min_by_key(|row| row.cost.wall)?;
        let part = |own: f64, other: f64| format!("{:.2}", own / other.max(1e-9));
        let time = part(ours.cost.wall.as_secs_f64(), docker.cost.wall.as_secs_f64());
        let cpu = part(ours.cost.cpu.as_secs_f64(), docker.cost.cpu.as_secs_f64());
        let memory = part(ours.cost.memory as f64, docker.cost.memory as f64);
        let [wall, _, _, _, peak] = self.cells(ours);
        let [docker_wall, _, _, _, docker_peak] = self.cells(docker);
        Some(format!(
            "| {} | {time} | {cpu} | {memory} | {wall} | {peak} | {docker_wall} | {docker_peak} |\n",
            self.what
        ))
    }
}

/// Prints the table, and writes it to the file in BENCH_TABLE, and README's short table to the file in BENCH_SUMMARY.
pub fn write(sections: &[Section]) {
    let mut table = String::from(
        "| | | wall ms | ratio | CPU ms | ratio | peak MiB | requests |\n|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    sections.iter().for_each(|section| table += &section.as_markdown());
    println!("\n{table}");
    let mut summary = String::from(
        "| swarmctl / docker | time | CPU | memory | swarmctl: ms | MiB | docker: ms | MiB |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    summary.extend(sections.iter().filter_map(Section::as_summary));
    for (variable, text) in [("BENCH_TABLE", table), ("BENCH_SUMMARY", summary)] {
        if let Ok(path) = std::env::var(variable) {
            replace(&path, &text);
        }
    }
}

/// Replaces the text between the marks of a file, or the whole file if it has no marks.
fn replace(path: &str, text: &str) {
    let old = fs::read_to_string(path).unwrap_or_default();
    let new = match (old.split_once(BEGIN), old.split_once(END)) {
        (Some((before, _)), Some((_, after))) => format!("{before}{BEGIN}\n{text}\n{END}{after}"),
        _ => text.to_owned(),
    };
    fs::write(path, new).unwrap();
}
