"""Types commands into a shell in a terminal, and draws what was seen as an SVG that moves: record.py OUT.svg COMMAND...

The picture is for a README: it contains no script and loads nothing from elsewhere. Where nothing moves (print, reduced motion),
it shows the last screen. Each line that was ever seen is one element, shown by a CSS animation while it was there. pyte is the terminal.
"""

import codecs
import fcntl
import html
import os
import pty
import re
import select
import struct
import sys
import termios
import time

import pyte

COLUMNS, ROWS = 106, 21
# Seconds between two keys, before a command is typed, after its end, and on the last screen.
KEY, BEFORE, AFTER, AT_THE_END = 0.035, 0.4, 1.2, 7.0
# Changes closer together than this are one picture.
TOGETHER = 0.09
# Printed by the shell before each prompt; a terminal treats it as the title of its window.
PROMPT = b"\x1b]0;prompt\x07"

CELL, LINE, SIZE, EDGE, BAR = 8.0, 19, 13.3, 16, 34
COLORS = {
    "default": "#d5dae1", "black": "#7d8590", "red": "#ff7b72", "green": "#56d364", "brown": "#e3b341",
    "brightblack": "#7d8590", "yellow": "#e3b341", "blue": "#79c0ff", "magenta": "#d2a8ff", "cyan": "#76e3ea", "white": "#f0f3f6",
}


def record(commands):
    """What a terminal was sent while the commands were typed in and run: (seconds, bytes)."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(
            TERM="xterm-256color", PS1=r"\[\e[1;32m\]$\[\e[0m\] ", PROMPT_COMMAND=r"printf '\033]0;prompt\007'"
        )
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    start, seen, events = time.monotonic(), b"", []

    def watch(seconds, prompts=None):
        """Until this time has passed, or this number of prompts was shown."""
        nonlocal seen
        end = time.monotonic() + seconds
        while prompts is None or seen.count(PROMPT) < prompts:
            left = end - time.monotonic()
            if left <= 0:
                if prompts is not None:
                    sys.exit(f"no prompt after {seconds} s: {seen[-500:]!r}")
                return
            if select.select([terminal], [], [], left)[0]:
                data = os.read(terminal, 65536)
                seen += data
                events.append((time.monotonic() - start, data))

    watch(20, prompts=1)
    for number, command in enumerate(commands, 2):
        watch(BEFORE)
        for key in command:
            os.write(terminal, key.encode())
            watch(KEY)
        watch(BEFORE)
        os.write(terminal, b"\r")
        watch(300, prompts=number)
        watch(AFTER)
    end = time.monotonic() - start
    os.write(terminal, b"\x04")
    os.close(terminal)
    os.waitpid(child, 0)
    # The times are relative to the first output.
    first = events[0][0]
    return [(at - first, data) for at, data in events], end - first


def screens(events, end):
    """The screens, each with the time at which it appeared: (seconds, lines). A line is a list of (column, text, color, is_bold)."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    found, shown = [], 0.0
    for number, (at, data) in enumerate(events):
        # pyte does not support faint text.
        stream.feed(decoder.decode(data).replace("\x1b[2m", "\x1b[90m"))
        following = events[number + 1][0] if number + 1 < len(events) else end
        # A burst of output is one picture, but consecutive key presses are not a burst.
        if following - at < TOGETHER and following - shown < TOGETHER:
            continue
        shown = at
        lines = [runs(screen.buffer[row]) for row in range(ROWS)]
        if not found or found[-1][1] != lines:
            found.append((at, lines))
    return found


def runs(cells):
    """A line of the terminal as pieces with the same style, without the blanks between them."""
    found = []
    for column in range(COLUMNS):
        cell = cells[column]
        style = (cell.fg, cell.bold)
        if found and found[-1][2:] == style and found[-1][0] + len(found[-1][1]) == column:
            found[-1] = (found[-1][0], found[-1][1] + cell.data, *style)
        else:
            found.append((column, cell.data, *style))
    pieces = []
    for column, text, *style in found:
        # Of two adjacent blanks, one may be lost when the text is drawn.
        for part in re.finditer(r"\S+(?: \S+)*", text):
            pieces.append((column + part.start(), part.group(), *style))
    return pieces


def draw(found, end, commands):
    """The SVG."""
    length = end + AT_THE_END
    # (row, line) -> the times when it was visible
    spans = {}
    for number, (at, lines) in enumerate(found):
        until = found[number + 1][0] if number + 1 < len(found) else None
        for row, line in enumerate(lines):
            if not line:
                continue
            times = spans.setdefault((row, tuple(line)), [])
            if times and times[-1][1] == at:
                times[-1] = (times[-1][0], until)
            else:
                times.append((at, until))
    rules, names, parts = [], {}, []
    for (row, line), times in spans.items():
        text = "".join(piece(row, *run) for run in line)
        times = tuple(times)
        if times == ((found[0][0], None),):
            parts.append(text)
            continue
        if times not in names:
            names[times] = f"k{len(names)}"
            rules.append(keyframes(names[times], times, length))
        hidden = "" if times[-1][1] is None else ' class="h"'
        parts.append(f'<g{hidden} style="animation-name:{names[times]}">{text}</g>')
    used = max(row for row, _ in spans) + 1
    width = round(COLUMNS * CELL + 2 * EDGE)
    height = BAR + used * LINE + EDGE
    fonts = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
    colors = "".join(f".{name}{{fill:{code}}}" for name, code in COLORS.items() if name != "default")
    said = "; ".join(html.escape(command) for command in commands)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>swarmctl in a terminal: a service is updated in steps with a gate; then a stack is updated, canary first, which fails and is rolled back</title>
<desc>Recorded by scripts/record from a real run of: {said}</desc>
<style>
text{{font-family:{fonts};font-size:{SIZE}px;fill:{COLORS["default"]}}}
{colors}.b{{font-weight:700}}.h{{visibility:hidden}}
g{{animation:{length:.2f}s step-end infinite}}
{"".join(rules)}
@media (prefers-reduced-motion:reduce){{g{{animation:none}}}}
</style>
<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="9" fill="#0d1117" stroke="#6e7681" stroke-opacity=".6"/>
<circle cx="20" cy="18" r="5.5" fill="#ff5f56"/><circle cx="38" cy="18" r="5.5" fill="#ffbd2e"/><circle cx="56" cy="18" r="5.5" fill="#27c93f"/>
{chr(10).join(parts)}
</svg>
"""


def piece(row, column, text, color, is_bold):
    classes = ([color] if color in COLORS and color != "default" else []) + (["b"] if is_bold else [])
    kind = f' class="{" ".join(classes)}"' if classes else ""
    x, y = EDGE + column * CELL, BAR + row * LINE + 14
    # Columns stay aligned with any font.
    return f'<text x="{x:g}" y="{y}" textLength="{len(text) * CELL:g}"{kind}>{html.escape(text, quote=False)}</text>'


def keyframes(name, times, length):
    """CSS keyframes that make an element visible during `times`, which are pairs of a start and an end, and hide it otherwise."""
    steps = ["0%{visibility:hidden}"] if times[0][0] > 0 else []
    for since, until in times:
        steps.append(f"{100 * since / length:.2f}%{{visibility:visible}}")
        if until is not None:
            steps.append(f"{100 * until / length:.2f}%{{visibility:hidden}}")
    return f"@keyframes {name}{{{''.join(steps)}}}"


def main():
    out, *commands = sys.argv[1:]
    events, end = record(commands)
    picture = draw(screens(events, end), end, commands)
    with open(out, "w", encoding="utf-8") as file:
        file.write(picture)
    print(f"{out}: {len(picture.encode())} bytes, {end + AT_THE_END:.0f} s", file=sys.stderr)


main()
