using ScottPlot;
using SkiaSharp;

namespace Lipschitz.Cli.Figures;

/// <summary>DejaVu Sans out of this assembly; one weight, which the figures' text all has.</summary>
internal sealed class EmbeddedFont : IFontResolver
{
    /// <summary>The name to ask for.</summary>
    public const string Name = "DejaVu Sans (embedded)";

    private static readonly Lazy<SKTypeface> s_typeface = new(() =>
    {
        using Stream stream = typeof(EmbeddedFont).Assembly.GetManifestResourceStream("DejaVuSans.ttf")!;
        return SKTypeface.FromStream(stream);
    });

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
        CreateTypeface(fontName, bold ? FontWeight.Bold : FontWeight.Normal, italic ? FontSlant.Italic : FontSlant.Upright, FontSpacing.Normal);

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        fontName == Name ? s_typeface.Value : null;
}
