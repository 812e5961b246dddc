using System.Runtime.InteropServices;

namespace Lipschitz.Cuda.Interop;

/// <summary>
/// cuDNN 9's convolutions, entry by entry. Names, signatures, numbers and the struct are those of <c>cudnn_graph.h</c>, <c>cudnn_ops.h</c> and
/// <c>cudnn_cnn.h</c> of cuDNN 9.6.0 and 9.13.0, which agree on all of them.
/// </summary>
internal static unsafe partial class Cudnn
{
    public const int Success = 0; // cudnnStatus_t
    public const int Float = 0; // cudnnDataType_t
    public const int Nhwc = 1; // cudnnTensorFormat_t
    public const int CrossCorrelation = 1; // cudnnConvolutionMode_t
    public const int Deterministic = 1; // cudnnDeterminism_t

    // cudnnMathType_t: the default may use TF32, FMA never does
    public const int DefaultMath = 0;
    public const int TensorOpMath = 1;
    public const int FmaMath = 3;

    // cudnnConvolutionFwdAlgo_t, ..BwdDataAlgo_t, ..BwdFilterAlgo_t
    public const int ForwardImplicitGemm = 0;
    public const int ForwardImplicitPrecomputedGemm = 1;
    public const int ForwardGemm = 2;
    public const int BackwardData1 = 1;
    public const int BackwardFilter1 = 1;

    /// <summary>What must be there; kept equal to the imports below by a test.</summary>
    public static readonly string[] Symbols =
    [
        "cudnnGetVersion", "cudnnGetCudartVersion", "cudnnGetErrorString", "cudnnCreate", "cudnnDestroy", "cudnnSetStream",
        "cudnnCreateTensorDescriptor", "cudnnSetTensor4dDescriptorEx", "cudnnDestroyTensorDescriptor",
        "cudnnCreateFilterDescriptor", "cudnnSetFilter4dDescriptor", "cudnnDestroyFilterDescriptor",
        "cudnnCreateConvolutionDescriptor", "cudnnSetConvolution2dDescriptor", "cudnnSetConvolutionMathType", "cudnnDestroyConvolutionDescriptor",
        "cudnnGetConvolutionForwardAlgorithm_v7", "cudnnGetConvolutionForwardWorkspaceSize", "cudnnConvolutionForward",
        "cudnnGetConvolutionBackwardDataAlgorithm_v7", "cudnnGetConvolutionBackwardDataWorkspaceSize", "cudnnConvolutionBackwardData",
        "cudnnGetConvolutionBackwardFilterAlgorithm_v7", "cudnnGetConvolutionBackwardFilterWorkspaceSize", "cudnnConvolutionBackwardFilter",
    ];

    private const string Library = NativeLibraries.Cudnn;

    /// <summary>
    /// Whether a status says that cuDNN has nothing for what was asked: CUDNN_STATUS_BAD_PARAM, CUDNN_STATUS_NOT_SUPPORTED and their kinds.
    /// </summary>
    public static bool IsRefusal(int status) => status is >= 2000 and < 4000;

    [LibraryImport(Library, EntryPoint = "cudnnGetVersion")]
    public static partial nuint GetVersion();

    [LibraryImport(Library, EntryPoint = "cudnnGetCudartVersion")]
    public static partial nuint GetCudartVersion();

    [LibraryImport(Library, EntryPoint = "cudnnGetErrorString")]
    public static partial byte* GetErrorString(int status);

    [LibraryImport(Library, EntryPoint = "cudnnCreate")]
    public static partial int Create(nint* handle);

    [LibraryImport(Library, EntryPoint = "cudnnDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "cudnnSetStream")]
    public static partial int SetStream(nint handle, nint stream);

    // ---- descriptors ----

    [LibraryImport(Library, EntryPoint = "cudnnCreateTensorDescriptor")]
    public static partial int CreateTensorDescriptor(nint* descriptor);

    [LibraryImport(Library, EntryPoint = "cudnnSetTensor4dDescriptorEx")]
    public static partial int SetTensorDescriptor(
        nint descriptor, int dataType, int n, int c, int h, int w, int strideN, int strideC, int strideH, int strideW);

    [LibraryImport(Library, EntryPoint = "cudnnDestroyTensorDescriptor")]
    public static partial int DestroyTensorDescriptor(nint descriptor);

    [LibraryImport(Library, EntryPoint = "cudnnCreateFilterDescriptor")]
    public static partial int CreateFilterDescriptor(nint* descriptor);

    [LibraryImport(Library, EntryPoint = "cudnnSetFilter4dDescriptor")]
    public static partial int SetFilterDescriptor(nint descriptor, int dataType, int format, int k, int c, int h, int w);

    [LibraryImport(Library, EntryPoint = "cudnnDestroyFilterDescriptor")]
    public static partial int DestroyFilterDescriptor(nint descriptor);

    [LibraryImport(Library, EntryPoint = "cudnnCreateConvolutionDescriptor")]
    public static partial int CreateConvolutionDescriptor(nint* descriptor);

    [LibraryImport(Library, EntryPoint = "cudnnSetConvolution2dDescriptor")]
    public static partial int SetConvolutionDescriptor(
        nint descriptor, int paddingH, int paddingW, int strideH, int strideW, int dilationH, int dilationW, int mode, int computeType);

    [LibraryImport(Library, EntryPoint = "cudnnSetConvolutionMathType")]
    public static partial int SetConvolutionMathType(nint descriptor, int mathType);

    [LibraryImport(Library, EntryPoint = "cudnnDestroyConvolutionDescriptor")]
    public static partial int DestroyConvolutionDescriptor(nint descriptor);

    // ---- y <- w * x ----

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionForwardAlgorithm_v7")]
    public static partial int GetForwardAlgorithms(
        nint handle, nint x, nint w, nint convolution, nint y, int asked, int* returned, Algorithm* results);

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionForwardWorkspaceSize")]
    public static partial int GetForwardWorkspace(nint handle, nint x, nint w, nint convolution, nint y, int algorithm, nuint* bytes);

    [LibraryImport(Library, EntryPoint = "cudnnConvolutionForward")]
    public static partial int Forward(
        nint handle, float* alpha, nint xDescriptor, nint x, nint wDescriptor, nint w, nint convolution, int algorithm,
        nint workspace, nuint workspaceBytes, float* beta, nint yDescriptor, nint y);

    // ---- dx <- the adjoint of w, applied to dy ----

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardDataAlgorithm_v7")]
    public static partial int GetBackwardDataAlgorithms(
        nint handle, nint w, nint dy, nint convolution, nint dx, int asked, int* returned, Algorithm* results);

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardDataWorkspaceSize")]
    public static partial int GetBackwardDataWorkspace(nint handle, nint w, nint dy, nint convolution, nint dx, int algorithm, nuint* bytes);

    [LibraryImport(Library, EntryPoint = "cudnnConvolutionBackwardData")]
    public static partial int BackwardData(
        nint handle, float* alpha, nint wDescriptor, nint w, nint dyDescriptor, nint dy, nint convolution, int algorithm,
        nint workspace, nuint workspaceBytes, float* beta, nint dxDescriptor, nint dx);

    // ---- dw <- the derivative of sum(dy (w * x)) ----

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardFilterAlgorithm_v7")]
    public static partial int GetBackwardFilterAlgorithms(
        nint handle, nint x, nint dy, nint convolution, nint dw, int asked, int* returned, Algorithm* results);

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardFilterWorkspaceSize")]
    public static partial int GetBackwardFilterWorkspace(nint handle, nint x, nint dy, nint convolution, nint dw, int algorithm, nuint* bytes);

    [LibraryImport(Library, EntryPoint = "cudnnConvolutionBackwardFilter")]
    public static partial int BackwardFilter(
        nint handle, float* alpha, nint xDescriptor, nint x, nint dyDescriptor, nint dy, nint convolution, int algorithm,
        nint workspace, nuint workspaceBytes, float* beta, nint dwDescriptor, nint dw);

    /// <summary>
    /// What cuDNN thinks of one algorithm: <c>cudnnConvolutionFwdAlgoPerf_t</c> and its two siblings, which differ only in the type of the first
    /// field; 48 bytes.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Algorithm
    {
        public int Number;
        public int Status;
        public float Time;
        public nuint Memory; // bytes of workspace
        public int Determinism;
        public int MathType;
        public fixed int Reserved[3];
    }
}
