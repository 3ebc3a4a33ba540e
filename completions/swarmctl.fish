# fish completion for swarmctl. `swarmctl __complete` provides the candidates.

function __swarmctl_complete
    set -l before (commandline -opc)
    set -l cursor (commandline -ct)
    set -l program $before[1]
    set -e before[1]
    set -l directive 4
    set -l candidates
    for line in (command $program __complete $before "$cursor" 2>/dev/null)
        if string match -qr '^:[0-9]+$' -- $line
            set directive (string sub -s 2 -- $line)
        else
            set -a candidates $line
        end
    end
    # Candidates for the value of --flag=value are those of the value; fish replaces the whole word.
    set -l flag ''
    string match -qr '^-[^=]*=' -- $cursor; and set flag (string match -r '^-[^=]*=' -- $cursor)
    if test (count $candidates) -gt 0
        printf '%s\n' "$flag"$candidates
    else if test (math "floor($directive / 4) % 2") -eq 0
        __fish_complete_path $cursor
    end
end

complete -c swarmctl -f -a '(__swarmctl_complete)'
