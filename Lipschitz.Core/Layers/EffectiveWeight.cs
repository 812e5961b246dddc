using Lipschitz.Tensors;

namespace Lipschitz.Layers;

/// <summary>A weight matrix [outputs, inputs] as evaluations use it: normalised, and with the factors of concatenations in its columns where its layer puts them there.</summary>
/// <param name="Name">Its full name, such as <c>blocks.3.layers.1.effective</c>.</param>
/// <param name="Value">The numbers.</param>
public readonly record struct EffectiveWeight(string Name, Tensor Value);
