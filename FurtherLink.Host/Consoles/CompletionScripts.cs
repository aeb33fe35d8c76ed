namespace FurtherLink.Host.Consoles;

/// <summary>The scripts by which shells ask "furtherlink complete" what a word may become. Where it knows nothing, files are offered.</summary>
internal static class CompletionScripts
{
    private const string Bash = """
        _furtherlink() {
            local word=${COMP_WORDS[COMP_CWORD]}
            mapfile -t COMPREPLY < <(command furtherlink complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
            if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
            fi
        }
        complete -F _furtherlink furtherlink

        """;

    private const string Zsh = """
        #compdef furtherlink
        _furtherlink() {
            local -a found
            found=("${(@f)$(command furtherlink complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
            found=(${found:#})
            if (( ${#found} )); then
                compadd -- "${found[@]}"
            else
                _files
            fi
        }
        compdef _furtherlink furtherlink

        """;

    private const string Fish = """
        function __furtherlink_complete
            set -l words (commandline -opc) (commandline -ct)
            set -l found (command furtherlink complete -- $words[2..-1] 2>/dev/null)
            if test (count $found) -gt 0
                printf '%s\n' $found
            else
                __fish_complete_path (commandline -ct)
            end
        end
        complete -c furtherlink -f -a '(__furtherlink_complete)'

        """;

    /// <summary>The shells there is a script for.</summary>
    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish"];

    /// <summary>A shell's script.</summary>
    public static string Of(string shell) => shell switch
    {
        "zsh" => Zsh,
        "fish" => Fish,
        _ => Bash,
    };
}
