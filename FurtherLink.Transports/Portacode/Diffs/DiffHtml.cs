using System.Net;
using System.Text;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>Shows what a diff does to a file as HTML: one element per line, everything from outside escaped, no styles and no scripts.</summary>
internal static class DiffHtml
{
    /// <summary>Renders what becomes of one file.</summary>
    /// <param name="patch">The part of the diff.</param>
    /// <param name="change">What it does to this file: a move takes one away and makes another.</param>
    /// <param name="error">Why it cannot be done; null where it can.</param>
    public static string Render(FilePatch patch, FileChange change, string? error)
    {
        var html = new StringBuilder("<div class=\"diff\">");
        Element(html, "diff-file", Title(patch, change));
        if (error is not null)
            Element(html, "diff-error", error);
        // The hunks of a file that moves are shown with its new name.
        foreach (var hunk in patch.Source == patch.Path ? [] : patch.Hunks)
        {
            Element(html, "diff-hunk", $"@@ {hunk.Start} @@");
            foreach (var line in hunk.Lines)
            {
                var (name, sign) = line.Kind switch
                {
                    HunkLineKind.Added => ("diff-add", '+'),
                    HunkLineKind.Removed => ("diff-remove", '-'),
                    _ => ("diff-keep", ' '),
                };
                Element(html, name, sign + Encoding.UTF8.GetString(line.Text.Span.TrimEnd("\r\n"u8)));
                if (!line.Text.Span.EndsWith("\n"u8))
                    Element(html, "diff-note", "No newline at end of file");
            }
        }

        return html.Append("</div>").ToString();
    }

    private static string Title(FilePatch patch, FileChange change) => change switch
    {
        FileChange.Delete => $"{patch.Path} (deleted)",
        FileChange.Create or FileChange.Move when patch.Source is not null => $"{patch.Path} (moved from {patch.Source})",
        FileChange.Create => $"{patch.Path} (created)",
        _ => patch.Path,
    };

    private static void Element(StringBuilder html, string name, string text) =>
        html.Append("<pre class=\"").Append(name).Append("\">").Append(WebUtility.HtmlEncode(text)).Append("</pre>");
}
