# Reads the words before the cursor: __clawctl_before has the options before the command,
# __clawctl_rest the command and what follows it.
function __clawctl_read
    set -l words (commandline -opc)
    set -e words[1]
    set -g __clawctl_before
    while string match -q -- '-*' "$words[1]"
        set -a __clawctl_before $words[1]
        if contains -- $words[1] (__clawctl_valued '')
            set -q words[2]; and set -a __clawctl_before $words[2]
            set -e words[1]
        end
        set -e words[1]
    end
    test "$words[1]" = help; and set -e words[1]
    set -g __clawctl_rest $words
end

# Tells whether no command is written yet.
function __clawctl_begin
    __clawctl_read
    not set -q __clawctl_rest[1]
end

# Tells whether the first word of a family is all that is written.
function __clawctl_family
    __clawctl_read
    test (count $__clawctl_rest) -eq 1 -a "$__clawctl_rest[1]" = $argv[1]
end

# Tells whether a command of one of these names is written.
function __clawctl_in
    __clawctl_read
    contains -- "$__clawctl_rest[1..2]" $argv; or contains -- "$__clawctl_rest[1]" $argv
end

# Tells whether the n-th argument of a command is written now: NUMBER one|many NAME...
function __clawctl_at
    __clawctl_in $argv[3..]; or return 1
    set -l words $__clawctl_rest
    set -l valued (__clawctl_valued $argv[3])
    set -e words[1]
    contains -- "$__clawctl_rest[1..2]" $argv[3..]; and set -e words[1]
    set -l given 0
    while set -q words[1]
        switch $words[1]
            case --
                return 1
            case '--*=*'
            case '-?*'
                contains -- $words[1] $valued; and set -e words[1]
            case '*'
                set given (math $given + 1)
        end
        set -e words[1]
    end
    test $given -eq (math $argv[1] - 1); or test $argv[2] = many -a $given -ge $argv[1]
end

# Tells whether what is written stands after -- of a command.
function __clawctl_after
    __clawctl_in $argv; and contains -- -- $__clawctl_rest
end

# Prints names of some kinds, 'jobs=' with '=' after them; none when the daemon is away.
function __clawctl_names
    __clawctl_read
    set -l typed (commandline -ct | string replace -r '^--[^=]*=' '')
    set -l kinds (string replace -r '=$' '' -- $argv[1])
    set -l found (clawctl $__clawctl_before _complete $kinds "$typed" 2>/dev/null </dev/null)
    if test $kinds != $argv[1]
        string replace -r '^([^\t]*)' '$1=' -- $found
    else
        string join \n -- $found
    end
end

# Prints what may come next of a command after --.
function __clawctl_program
    set -l words $__clawctl_rest
    set -l at (contains -i -- -- $words)
    set -e words[1..$at]
    complete -C "$words $(commandline -ct)"
end
