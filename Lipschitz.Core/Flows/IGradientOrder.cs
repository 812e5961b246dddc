namespace Lipschitz.Flows;

/// <summary>Asked by a backward pass around each addition to the gradient, for those who let several passes share one.</summary>
public interface IGradientOrder
{
    /// <summary>Returns when the bijection at a position of the flow may add its part.</summary>
    void Enter(int bijection);

    /// <summary>The part is added.</summary>
    void Leave(int bijection);
}
