namespace Lipschitz.Tensors;

/// <summary>Shapes that do not fit together; the message names the operation and both shapes.</summary>
public sealed class ShapeMismatchException : ArgumentException
{
    /// <summary>Makes the exception.</summary>
    public ShapeMismatchException(string message)
        : base(message)
    {
    }

    /// <summary>Throws unless <paramref name="tensor"/> is [<paramref name="rows"/>, <paramref name="columns"/>].</summary>
    /// <exception cref="ShapeMismatchException">It is not.</exception>
    public static void ThrowUnless(Tensor tensor, int rows, int columns, string operation, string argument)
    {
        if (tensor.Rows != rows || tensor.Columns != columns)
        {
            throw new ShapeMismatchException($"{operation}: {argument} has shape {tensor}, expected [{rows}, {columns}].");
        }
    }
}
