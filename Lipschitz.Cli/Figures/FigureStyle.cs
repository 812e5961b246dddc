using ScottPlot;

namespace Lipschitz.Cli.Figures;

/// <summary>What all figures share: colours, sizes and the way to turn a plot into a picture.</summary>
internal static class FigureStyle
{
    /// <summary>The colour map of densities; its lowest colour is the background of every panel of points.</summary>
    public static readonly IColormap Density = new ScottPlot.Colormaps.Magma();

    /// <summary>Text and axes.</summary>
    public static readonly Color Ink = Color.FromHex("#30343b");

    /// <summary>Grid lines.</summary>
    public static readonly Color Faint = Color.FromHex("#e3e5e8");

    /// <summary>The first series.</summary>
    public static readonly Color Blue = Color.FromHex("#3b6fb6");

    /// <summary>The second series.</summary>
    public static readonly Color Orange = Color.FromHex("#e0812c");

    /// <summary>Reference lines.</summary>
    public static readonly Color Grey = Color.FromHex("#7b828c");

    static FigureStyle()
    {
        // The font comes with the program: the same picture everywhere, also on a machine without fonts.
        Fonts.FontResolvers.Insert(0, new EmbeddedFont());
        Fonts.Default = EmbeddedFont.Name;
    }

    /// <summary>A plot with thin axes on white.</summary>
    public static Plot NewPlot()
    {
        var plot = new Plot();
        plot.FigureBackground.Color = Colors.White;
        plot.DataBackground.Color = Colors.White;
        plot.Axes.Color(Ink);
        plot.Grid.MajorLineColor = Faint;
        foreach (IAxis axis in new IAxis[] { plot.Axes.Top, plot.Axes.Right })
        {
            axis.FrameLineStyle.Width = 0;
            axis.MinimumSize = 16;
        }

        foreach (IAxis axis in new IAxis[] { plot.Axes.Left, plot.Axes.Bottom })
        {
            axis.Label.Bold = false;
            axis.Label.FontSize = 16;
            axis.TickLabelStyle.FontSize = 14;
        }

        plot.Font.Set(Fonts.Default);
        plot.Legend.FontSize = 14;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.OutlineColor = Faint;
        return plot;
    }

    /// <summary>The figure as the bytes of a .png file.</summary>
    public static byte[] Png(Plot plot, int width, int height)
    {
        Image image = plot.GetImage(width, height);
        return image.GetImageBytes(ImageFormat.Png);
    }
}
