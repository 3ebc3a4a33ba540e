//! Ages and sizes in docker's formats, and exact durations.

use std::time::Duration;

/// Formats an age approximately: `5 minutes ago`, `About an hour ago`.
pub fn format_age(since: Duration) -> String {
    let seconds = since.as_secs();
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    let words = if seconds < 1 {
        "Less than a second".to_owned()
    } else if seconds == 1 {
        "1 second".to_owned()
    } else if seconds < 60 {
        format!("{seconds} seconds")
    } else if minutes == 1 {
        "About a minute".to_owned()
    } else if minutes < 60 {
        format!("{minutes} minutes")
    } else if hours == 1 {
        "About an hour".to_owned()
    } else if hours < 48 {
        format!("{hours} hours")
    } else if hours < 24 * 7 * 2 {
        format!("{} days", hours / 24)
    } else if hours < 24 * 30 * 2 {
        format!("{} weeks", hours / 24 / 7)
    } else if hours < 24 * 365 * 2 {
        format!("{} months", hours / 24 / 30)
    } else {
        format!("{} years", hours / 24 / 365)
    };
    words + " ago"
}

/// Formats a duration exactly: `1m30s`, `500ms`.
pub fn format_duration(length: Duration) -> String {
    let (seconds, nanos) = (length.as_secs(), length.subsec_nanos());
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(nanos / 1_000_000), "ms"),
        (u64::from(nanos / 1_000 % 1_000), "us"),
        (u64::from(nanos % 1_000), "ns"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    match parts.collect::<String>() {
        none if none.is_empty() => "0s".to_owned(),
        some => some,
    }
}

/// Formats a number of bytes with four significant digits: `512MiB`, `1.5GiB`.
pub fn format_bytes(count: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    let mut size = count as f64;
    while size >= 1024.0 && unit < UNITS.len() - 1 {
        size /= 1024.0;
        unit += 1;
    }
    // The size is less than 1024 in every unit but the last, so it has at most four digits before the point.
    let decimals = if size < 10.0 {
        3
    } else if size < 100.0 {
        2
    } else if size < 1000.0 {
        1
    } else {
        0
    };
    let digits = format!("{size:.decimals$}");
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    format!("{digits}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_long_ago_as_docker_does() {
        let said = |seconds| format_age(Duration::from_secs(seconds));
        assert_eq!(format_age(Duration::from_millis(999)), "Less than a second ago");
        assert_eq!(said(1), "1 second ago");
        assert_eq!(said(59), "59 seconds ago");
        assert_eq!(said(60), "About a minute ago");
        assert_eq!(said(119), "About a minute ago");
        assert_eq!(said(120), "2 minutes ago");
        assert_eq!(said(3599), "59 minutes ago");
        assert_eq!(said(3600), "About an hour ago");
        assert_eq!(said(3600 * 47), "47 hours ago");
        assert_eq!(said(3600 * 48), "2 days ago");
        assert_eq!(said(86_400 * 14), "2 weeks ago");
        assert_eq!(said(86_400 * 60), "2 months ago");
        assert_eq!(said(86_400 * 730), "2 years ago");
    }

    #[test]
    fn says_lengths_of_time_exactly() {
        for (nanos, said) in [
            (0, "0s"),
            (1, "1ns"),
            (5_000_000_000, "5s"),
            (1_500_000_000, "1s500ms"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h"),
            (90_061_001_002_003, "25h1m1s1ms2us3ns"),
        ] {
            assert_eq!(format_duration(Duration::from_nanos(nanos)), said);
        }
    }

    #[test]
    fn says_sizes_as_docker_does() {
        for (count, said) in [
            (0, "0B"),
            (1, "1B"),
            (1000, "1000B"),
            (1024, "1KiB"),
            (1_048_575, "1024KiB"),
            (512 << 20, "512MiB"),
            (3 << 29, "1.5GiB"),
            (1_234_567_890, "1.15GiB"),
            (u64::MAX, "16EiB"),
        ] {
            assert_eq!(format_bytes(count), said, "{count}");
        }
    }
}
