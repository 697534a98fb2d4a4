# Puts the words together that bash cut at ':', '=' and '@', up to the cursor.
_clawctl_words() {
    local line=${COMP_LINE:0:COMP_POINT} piece bare i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        bare=${line#"${line%%[![:blank:]]*}"}
        if ((i == 0)) || [[ $bare != "$line" ]]; then
            words+=('')
        fi
        ((i < COMP_CWORD)) || piece=$bare
        words[-1]+=$piece
        line=${bare#"$piece"}
    done
}

# Adds what a value may be: the words for it, what is typed of it, what stands before it.
_clawctl_offer() {
    local IFS=$' \t\n' value=$1 typed=$2 lead=$3 word line end
    local -a kinds=() some=()
    for word in $value; do
        case $word in
            @files) mapfile -t some < <(compgen -f -- "$typed") && compopt -o filenames ;;
            @folders) mapfile -t some < <(compgen -d -- "$typed") && compopt -o filenames ;;
            @users) mapfile -t some < <(compgen -u -- "$typed") ;;
            @groups) mapfile -t some < <(compgen -g -- "$typed") ;;
            @programs) mapfile -t some < <(compgen -c -- "$typed") ;;
            @*) kinds+=("${word#@}") && continue ;;
            *) some=("$word") ;;
        esac
        for line in "${some[@]}"; do
            [[ $line == "$typed"* ]] && found+=("$lead$line")
        done
    done
    ((${#kinds[@]})) || return 0
    end=${kinds[0]##*[!=]}
    word=${kinds[*]%=}
    while IFS= read -r line; do
        line=${line%%$'\t'*}
        [[ $line == "$typed"* ]] || continue
        printf -v line %q "$line" # bash puts in what is found as it stands
        found+=("$lead$line$end")
    done < <(clawctl "${before[@]}" _complete "$word" "$typed" 2>/dev/null </dev/null)
}

# Reads the words of a command, and adds what may come next.
_clawctl_line() {
    local i=$1 word after=-1 seen=' ' options='' again='' rest='' repeats='' value=''
    local -a arguments=()
    _clawctl_options "$command"
    _clawctl_arguments "$command"
    for (( ; i < last; i++)); do
        word=${words[i]}
        if ((after >= 0)); then
            ((++after))
        elif [[ $word == -- ]]; then
            after=0
        elif [[ $word == -?* ]]; then
            seen+="${word%%=*} "
            if [[ $word != *=* ]] && _clawctl_value "$command" "$word"; then
                ((i + 1 == last)) && _clawctl_offer "$value" "$current" '' && return
                ((++i))
            fi
        else
            given+=("$word")
        fi
    done
    if ((after >= 0)); then
        [[ $rest == @programs ]] && ((after > 0)) && rest=@files
        _clawctl_offer "$rest" "$current" ''
    elif [[ $current == --*=* ]]; then
        _clawctl_value "$command" "${current%%=*}" &&
            _clawctl_offer "$value" "${current#*=}" "${current%%=*}="
    elif [[ $current == -* ]]; then
        _clawctl_left
    elif ((${#given[@]} < ${#arguments[@]})); then
        _clawctl_offer "${arguments[${#given[@]}]}" "$current" ''
    elif [[ $repeats ]]; then
        _clawctl_offer "${arguments[-1]}" "$current" ''
    elif [[ ! $current ]]; then
        _clawctl_left
    fi
}

# Adds the options that may still be given.
_clawctl_left() {
    local word
    for word in $options; do
        [[ $seen == *" $word "* && " $again " != *" $word "* ]] ||
            _clawctl_offer "$word" "$current" ''
    done
}

# Reads what stands before the command, and the command.
_clawctl_read() {
    local i=1 value='' command='' members=''
    while ((i < last)) && [[ ${words[i]} == -* ]]; do
        before+=("${words[i]}")
        if [[ ${words[i]} != *=* ]] && _clawctl_value '' "${words[i]}"; then
            ((++i < last)) || { _clawctl_offer "$value" "$current" '' && return; }
            before+=("${words[i]}")
        fi
        ((++i))
    done
    ((i < last)) && [[ ${words[i]} == help ]] && ((++i))
    if ((i >= last)); then
        if [[ $current == --*=* ]]; then
            _clawctl_value '' "${current%%=*}" &&
                _clawctl_offer "$value" "${current#*=}" "${current%%=*}="
        elif [[ $current == -* ]]; then
            _clawctl_offer "$_clawctl_before" "$current" ''
        else
            _clawctl_offer "$_clawctl_first" "$current" ''
        fi
    elif ! _clawctl_members "${words[i]}"; then
        _clawctl_resolve "${words[i]}" && _clawctl_line $((i + 1))
    elif ((i + 1 == last)); then
        _clawctl_offer "$members" "$current" ''
    else
        _clawctl_resolve "${words[i]} ${words[i + 1]}" && _clawctl_line $((i + 2))
    fi
}

_clawctl() {
    local IFS=$' \t\n' current last word cut
    local -a words=() before=() found=() given=()
    COMPREPLY=()
    _clawctl_words
    last=$((${#words[@]} - 1))
    current=${words[last]}
    _clawctl_read
    # Readline has cut after the last ':' or '=', and before the last '@'.
    cut=${current%"${current##*["${COMP_WORDBREAKS//[^:=@]/}"]}"}
    cut=${cut%@}
    for word in "${found[@]}"; do
        [[ " ${given[*]} " == *" $word "* ]] || COMPREPLY+=("${word#"$cut"}")
    done
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=/:@] ]]; then
        compopt -o nospace
    fi
    return 0
}

complete -o nosort -F _clawctl clawctl
