using Lipschitz.LogDet;

namespace Lipschitz.Models;

/// <summary>Makes estimators from settings.</summary>
public static class EstimatorFactory
{
    /// <summary>The estimator that <paramref name="settings"/> describe.</summary>
    /// <exception cref="ConfigurationException">A number in the settings is out of range.</exception>
    public static LogDetEstimator Create(LogDetSettings settings)
    {
        try
        {
            return settings.Method switch
            {
                LogDetMethod.Exact => new ExactDeterminant(),
                LogDetMethod.ExactTrace => new ExactTraceSeries(settings.Terms),
                LogDetMethod.Truncated => new SeriesEstimator(new FixedLength(settings.Terms), settings.Probes, settings.Probe),
                _ => new SeriesEstimator(
                    new RouletteLength(settings.Distribution, settings.Parameter, settings.ExactTerms), settings.Probes, settings.Probe),
            };
        }
        catch (ArgumentOutOfRangeException e)
        {
            // The framework's messages have further lines.
            throw new ConfigurationException($"logDet: {e.Message.Split('\n')[0].TrimEnd()}");
        }
    }
}
