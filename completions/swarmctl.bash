# bash completion for swarmctl. `swarmctl __complete` provides the candidates.

_swarmctl() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() word blanks i
    # bash also splits words at = and :, so parts without a blank between them are joined again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${rest%%[![:space:]]*}
        rest=${rest#"$blanks"}
        word=${COMP_WORDS[i]}
        # The cursor may be within the word.
        [[ $rest == "$word"* ]] || word=$rest
        rest=${rest#"$word"}
        if [[ -n $blanks || ${#words[@]} -eq 0 ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
    done

    local program=${words[0]/#\~\//$HOME/} cursor=${words[${#words[@]} - 1]} lines=() line directive=4
    # Candidates for the value of --flag=value are those of the value.
    [[ $cursor == -*=* ]] && cursor=${cursor#*=}
    # bash replaces only the text after the last = or :.
    local replaced=$cursor kept i
    for ((i = ${#cursor} - 1; i >= 0; i--)); do
        case ${cursor:i:1} in
        = | :)
            if [[ $COMP_WORDBREAKS == *"${cursor:i:1}"* ]]; then
                replaced=${cursor:i+1}
                break
            fi
            ;;
        esac
    done
    kept=${cursor%"$replaced"}

    COMPREPLY=()
    mapfile -t lines < <("$program" __completeNoDesc "${words[@]:1}" 2>/dev/null)
    for line in "${lines[@]}"; do
        case $line in
        :[0-9]*) directive=${line#:} ;;
        # There is nothing to insert.
        "$kept") ;;
        "$kept"*)
            # Names chosen by others may contain characters that are special in a shell.
            printf -v line %q "${line#"$kept"}"
            COMPREPLY+=("$line")
            ;;
        esac
    done
    ((directive & 2)) && compopt -o nospace 2>/dev/null
    ((directive & 4)) || compopt -o default 2>/dev/null
    return 0
}

complete -F _swarmctl swarmctl
