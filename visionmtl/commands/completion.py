"""`visionmtl completion`."""

import argparse
import shlex

from visionmtl.commands._words import answers
from visionmtl.commands.arguments import among
from visionmtl.commands.command import Command, commands_of
from visionmtl.errors import UsageError

# A script asks `visionmtl completion answer LINE` at every TAB. What `key=value` and run folders are, argcomplete would
# have to be taught too; this is a dependency less.
# Where there is no answer, each shell offers files.
BASH = r"""
_visionmtl() {
    local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT}
    local typed=${line##*[[:space:]]}
    COMPREPLY=($(visionmtl completion answer "$line" 2>/dev/null))
    [[ $typed == *[=:]* ]] && COMPREPLY=("${COMPREPLY[@]#"${typed%"${typed##*[=:]}"}"}")  # bash breaks words there
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]] && compopt -o nospace
}
complete -o default -F _visionmtl visionmtl
"""
ZSH = r"""
_visionmtl() {
    local -a found ended
    found=(${(f)"$(visionmtl completion answer "${(j: :)${(@q)words[1,CURRENT]}}" 2>/dev/null)"})
    (( $#found )) || { compset -P '*='; _files; return }
    ended=(${(M)found:#*[=/]})
    compadd -S '' -- $ended
    compadd -- ${found:|ended}
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _visionmtl visionmtl
"""
FISH = r"""
function _visionmtl
    set -g _visionmtl_found (visionmtl completion answer (commandline -cp | string collect) 2>/dev/null)
    set -q _visionmtl_found[1]
end
complete -c visionmtl -n _visionmtl -f -k -a '$_visionmtl_found'
"""
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
ANSWER = "answer"


class Completion(Command):
    """Print what makes a shell complete commands, options, recipes, keys and run folders."""

    rank = 8
    examples = """
        visionmtl completion bash
        visionmtl completion zsh
        visionmtl completion fish
    """
    more = """
        What is printed goes to the end of ~/.bashrc or ~/.zshrc, or into
        ~/.config/fish/completions/visionmtl.fish; for one terminal: eval "$(visionmtl completion bash)"
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("shell", metavar=among(SHELLS), help="the shell")
        parser.add_argument("line", nargs="?", metavar="LINE", help=argparse.SUPPRESS)

    def run(self, args: argparse.Namespace) -> None:
        if args.shell == ANSWER:
            for answer in answers(commands_of("visionmtl.commands"), _typed(args.line or "")):
                print(answer)
        elif args.shell in SHELLS and args.line is None:
            print(SHELLS[args.shell].strip())
        else:
            raise UsageError(f"There is no completion for '{args.shell}': expected {', '.join(SHELLS)}.")


def _typed(line: str) -> list[str]:
    """Return the words of a command line after the first, the last as far as it is typed."""
    words: list[str] = []
    for end in ("", "'", '"'):  # a quote may be open
        try:
            words = shlex.split(f"{line}{end}")
            break
        except ValueError:
            continue
    return [*words[1:], *([""] if line[-1:].isspace() else [])]
