//! A bar with a cell for each task.

use console::Style;

use super::ColorMode;

/// A bar: the number of tasks in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressBar {
    /// Running, or completed if the service is a job.
    pub ready: u64,
    /// Not running yet.
    pub starting: u64,
    /// Failed.
    pub failed: u64,
    /// Not created yet.
    pub missing: u64,
}

impl ProgressBar {
    /// Maximum number of cells. If there are fewer tasks, each has its own cell.
    pub const MAX_LEN: u64 = 20;

    /// The number of tasks.
    pub fn total(self) -> u64 {
        self.ready + self.starting + self.failed + self.missing
    }

    /// Returns `[###>x.]`, padded to `max_cells`. Without tasks it is blank.
    pub fn draw(self, max_cells: u64, color: ColorMode) -> String {
        if self.total() == 0 {
            return " ".repeat(max_cells as usize + 2);
        }
        let cells = self.cells(max_cells);
        let length: u64 = cells.iter().sum();
        let mut text = "[".to_owned();
        let styles = [Style::new().green(), Style::new().yellow(), Style::new().red(), Style::new().dim()];
        for ((count, sign), style) in cells.iter().zip(["#", ">", "x", "."]).zip(styles) {
            if *count > 0 {
                let cells = sign.repeat(*count as usize);
                text += &style.force_styling(color == ColorMode::On).apply_to(cells).to_string();
            }
        }
        text + "]" + &" ".repeat(max_cells.saturating_sub(length) as usize)
    }

    /// Distributes at most `max_cells` cells over the parts: one for each task, if there are enough. Otherwise, each part
    /// that is not empty has at least one cell.
    fn cells(self, max_cells: u64) -> [u64; 4] {
        let parts = [self.ready, self.starting, self.failed, self.missing];
        let total = self.total();
        if total <= max_cells {
            return parts;
        }
        let share = |part: u64| {
            u64::try_from(u128::from(part) * u128::from(max_cells) / u128::from(total)).unwrap_or(max_cells)
        };
        let mut cells = parts.map(|part| if part > 0 { share(part).max(1) } else { 0 });
        // The largest part compensates for rounding.
        let largest = (0..4).max_by_key(|i| cells[*i]).unwrap_or(0);
        let others: u64 = (0..4).filter(|i| *i != largest).map(|i| cells[i]).sum();
        cells[largest] = max_cells.saturating_sub(others);
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_a_cell_a_task_or_one_for_each_state_at_least() {
        let bar = |ready, starting, failed, missing| ProgressBar { ready, starting, failed, missing };
        assert_eq!(bar(3, 1, 1, 2).cells(20), [3, 1, 1, 2]);
        assert_eq!(bar(1000, 1, 1, 0).cells(20), [18, 1, 1, 0]);
        assert_eq!(bar(30, 30, 0, 60).cells(20), [5, 5, 0, 10]);
        assert_eq!(bar(u64::MAX / 2, 0, 0, 9).cells(10), [9, 0, 0, 1]);
        assert_eq!(bar(0, 0, 0, 0).cells(20), [0; 4]);
        assert_eq!(bar(1, 1, 1, 0).draw(4, ColorMode::Off), "[#>x] ");
        assert_eq!(bar(0, 0, 0, 0).draw(4, ColorMode::Off), "      ");
    }
}
