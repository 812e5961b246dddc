namespace Lipschitz.Randomness;

/// <summary>What a random number is for; part of its address, so that two uses never share a draw.</summary>
public enum RandomPurpose : byte
{
    /// <summary>Initial weights and singular vectors.</summary>
    Initialisation = 1,

    /// <summary>Training points or the order of training pictures.</summary>
    TrainingData = 2,

    /// <summary>The fixed test set.</summary>
    TestData = 3,

    /// <summary>Hutchinson probes.</summary>
    Probe = 4,

    /// <summary>Numbers of roulette terms.</summary>
    Roulette = 5,

    /// <summary>Draws from the base density.</summary>
    Sampling = 6,

    /// <summary>Dequantisation noise.</summary>
    Dequantisation = 7,

    /// <summary>Picture augmentation.</summary>
    Augmentation = 8,

    /// <summary>Searches that try to break a bound.</summary>
    Search = 9,

    /// <summary>Tests.</summary>
    Test = 10,
}

/// <summary>
/// The address of a family of random numbers. Draw number <c>d</c> of row <c>r</c> under a key is a pure function of
/// (key, r, d), so it depends neither on the number of threads nor on what was drawn before.
/// </summary>
/// <param name="Seed">The seed of the run.</param>
/// <param name="Purpose">What the numbers are for.</param>
/// <param name="Step">The training step, or 0.</param>
/// <param name="Index">The block or layer within the step, below 2^24, or 0.</param>
public readonly record struct RandomKey(ulong Seed, RandomPurpose Purpose, uint Step = 0, uint Index = 0);
