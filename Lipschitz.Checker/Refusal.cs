namespace Lipschitz.Checker;

/// <summary>Why a certificate does not stand: what is wrong with which field.</summary>
/// <param name="Field">The field, as a path such as <c>certificate.parts[3].branch.lipschitz</c>, or a file or tensor.</param>
/// <param name="Reason">What is wrong with it.</param>
public sealed record Finding(string Field, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field}: {Reason}";
}

/// <summary>Ends the check of one part of a certificate.</summary>
internal sealed class Refusal(string field, string reason) : Exception
{
    public Finding Finding { get; } = new(field, reason);

    public static void Unless(bool condition, string field, string reason)
    {
        if (!condition)
        {
            throw new Refusal(field, reason);
        }
    }
}
