namespace Lipschitz.Cuda.Tests;

public class Placeholder;
