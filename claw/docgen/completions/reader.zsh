# Adds names of some kinds, 'jobs=' with '=' after them; asks the daemon, which may be away.
_clawctl_names() {
    local kinds=${1%=} ends=''
    [[ $1 == *= ]] && ends='='
    local -a lines=("${(@f)$(clawctl $_clawctl_given _complete $kinds $PREFIX 2>/dev/null </dev/null)}")
    local -a names=() open=() says=() openly=()
    local line name shown
    for line in $lines; do
        [[ -n $line ]] || continue
        name=${line%%$'\t'*}$ends
        shown=$name
        [[ $line == *$'\t'* ]] && shown="$name  -- ${line#*$'\t'}"
        if [[ $name == *[=/:@] ]]; then
            open+=($name) openly+=($shown)
        else
            names+=($name) says+=($shown)
        fi
    done
    local expl
    _description -V names expl "$kinds"
    (( $#names )) && compadd "$expl[@]" -l -d says -a names
    (( $#open )) && compadd "$expl[@]" -l -d openly -S '' -a open
    (( $#names + $#open ))
}

_clawctl() {
    local curcontext=$curcontext state line
    local -a _clawctl_given=()
    typeset -A opt_args
    _arguments -C -S $_clawctl_before '1: :->first' '*:: :->line' && return
    local option
    for option in $_clawctl_passed; do
        (( ${+opt_args[$option]} )) || continue
        _clawctl_given+=($option ${(Q)opt_args[$option]})
    done
    case $state in
        first) _clawctl_first ;;
        line)
            if [[ $words[1] == help ]]; then
                shift words
                (( CURRENT-- ))
                (( CURRENT == 1 )) && _clawctl_first && return
            fi
            if (( CURRENT == 2 )) && _clawctl_members $words[1]; then
                return
            elif (( CURRENT > 2 )) && [[ $words[2] != -* ]] &&
                    (( ${_clawctl_whole[(Ie)$words[1] $words[2]]} )); then
                words[1,2]=("$words[1] $words[2]")
                (( CURRENT-- ))
            fi
            local name=$words[1]
            integer at=${words[(Ie)--]}
            if (( at && at < CURRENT )); then
                words=("${(@)words[at + 1, -1]}")
                (( CURRENT -= at ))
                _clawctl_rest $name
            else
                _clawctl_line $name
            fi
            ;;
    esac
}

if [[ $funcstack[1] == _clawctl ]]; then
    _clawctl "$@"
else
    compdef _clawctl clawctl
fi
