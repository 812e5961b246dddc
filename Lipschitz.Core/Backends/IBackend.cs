using Lipschitz.Randomness;
using Lipschitz.Tensors;

namespace Lipschitz.Backends;

/// <summary>
/// Memory and some forty kernels on matrix views; knows neither layers nor flows.
/// </summary>
/// <remarks>
/// <para>
/// Rules that hold for every kernel: shapes in brackets are [rows, columns]; "&lt;-" overwrites and never reads the old value (so it
/// may be NaN), "+=" adds; inputs and outputs do not overlap unless the kernel says so; sizes of zero are allowed, an empty sum is 0; wherever beta = 0 the old value is not read;
/// kernels run on the calling thread or are queued in its order (only <see cref="Download"/> and <see cref="AllFinite"/> wait), may be called from several threads at once on disjoint outputs, and give the same bits
/// whatever the number of threads. Scalars cross the interface as double.
/// </para>
/// <para>
/// "Stacked" tensors have <c>valueRows * (1 + T)</c> rows: first one row a sample with values, then T blocks of as many rows with
/// tangents (directional derivatives), so that a value and its derivatives share each product. T may be 0.
/// </para>
/// </remarks>
public partial interface IBackend : IDisposable
{
    /// <summary>A short name such as <c>cpu-avx2-float32</c>.</summary>
    string Name { get; }

    /// <summary>The number format of every buffer.</summary>
    Precision Precision { get; }

    /// <summary>The number of threads <see cref="Parallel"/> uses.</summary>
    int Threads { get; }

    /// <summary>
    /// How many times as many rows as a processor core the device wants to work on at once: the factor on the size of shards. 1 for processors,
    /// where results must not depend on the machine.
    /// </summary>
    int ShardScale => 1;

    /// <summary>The most bytes that buffers and temporaries have taken of the device's own memory; null where that is the memory of the process.</summary>
    long? PeakDeviceBytes => null;

    // ---- memory ----

    /// <summary>A new buffer of zeros.</summary>
    DeviceBuffer AllocateBuffer(int length);

    /// <summary>A new contiguous [rows, columns] tensor of zeros in a buffer of its own.</summary>
    Tensor Allocate(int rows, int columns) => new(AllocateBuffer(checked(rows * columns)), 0, rows, columns, columns);

    /// <summary>destination &lt;- source, row by row; rounds to the precision of the backend.</summary>
    void Upload(ReadOnlySpan<double> source, Tensor destination);

    /// <summary>destination &lt;- source, row by row; exact.</summary>
    void Download(Tensor source, Span<double> destination);

    /// <summary>
    /// Calls <paramref name="body"/> once for each of 0..count-1, on any thread in any order, and returns when all are done. By default one after the
    /// other on the calling thread, for whoever has one thread: a device is what works in parallel itself.
    /// </summary>
    /// <exception cref="AggregateException">Some call failed.</exception>
    void Parallel(int count, Action<int> body) => OneByOne(count, body);

    /// <summary>What <see cref="Parallel"/> does where there is one thread: all calls on the calling one, in order.</summary>
    /// <exception cref="AggregateException">Some call failed; the others were made nevertheless.</exception>
    static void OneByOne(int count, Action<int> body)
    {
        List<Exception>? failures = null;
        for (int i = 0; i < count; i++)
        {
            try
            {
                body(i);
            }
            catch (Exception failure)
            {
                (failures ??= []).Add(failure);
            }
        }

        if (failures is not null)
        {
            throw new AggregateException(failures);
        }
    }

    /// <summary>
    /// Something that does what <paramref name="work"/> does, faster where the device can record it. work must call the same kernels with the same
    /// arguments each time, and read nothing back that decides about them.
    /// </summary>
    Action Repeatable(Action work) => work;

    /// <summary>x &lt;- value.</summary>
    void Fill(Tensor x, double value);

    /// <summary>destination &lt;- source, same shapes.</summary>
    void Copy(Tensor source, Tensor destination);

    // ---- products ----

    /// <summary>Room for a packed [inner, columns] matrix, filled with zeros.</summary>
    PackedMatrix CreatePacked(int inner, int columns);

    /// <summary>
    /// Rows innerStart.. of the packed matrix &lt;- op(source), op being the transpose where asked for. source is
    /// [k, columns], or [columns, k] when transposed; innerStart + k is at most destination.Inner.
    /// </summary>
    void Pack(Tensor source, bool transpose, PackedMatrix destination, int innerStart = 0);

    /// <summary>c &lt;- a b + beta c. a [m, inner], b packed [inner, n], c [m, n]; with beta = 0 the old c is not read.</summary>
    void Multiply(Tensor a, PackedMatrix b, double beta, Tensor c);

    /// <summary>c &lt;- op(a) op(b) + beta c without packing ahead. op(a) [m, k], op(b) [k, n], c [m, n].</summary>
    void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, double beta, Tensor c);

    /// <summary>
    /// A linear layer and its activation in one pass over stacked rows: pre &lt;- x w, plus bias in the first valueRows rows; then
    /// y &lt;- as <see cref="Activate"/>. x [valueRows (1+T), inner], w packed [inner, n], bias [1, n], pre [.., n], y [.., OutputColumns(n)].
    /// </summary>
    void MultiplyActivate(
        Tensor x, PackedMatrix w, Tensor bias, Activation f, Tensor parameters, int valueRows, Tensor pre, Tensor y)
    {
        Multiply(x, w, 0, pre);
        AddRow(bias, pre.RowRange(0, valueRows));
        Activate(f, parameters, pre, valueRows, y);
    }

    /// <summary>y &lt;- (v m) * slopes, elementwise activations only. v [rows, inner], m packed [inner, n], slopes [rows, n], y [rows, n].</summary>
    void MultiplySlopes(Tensor v, PackedMatrix m, Tensor slopes, Tensor y)
    {
        Multiply(v, m, 0, y);
        SlopeVjp(Activation.Tanh, slopes, y, y);
    }

    // ---- activations ----

    /// <summary>
    /// y &lt;- f(pre) in the value rows and f'(pre) * tangent in the tangent rows (for f that mixes columns: J_f tangent).
    /// pre [valueRows (1+T), n], y [.., OutputColumns(n)]. y may be pre itself where f is elementwise and T = 0.
    /// </summary>
    void Activate(Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor y);

    /// <summary>
    /// slopes &lt;- the derivatives of f at pre [rows, n], in the form that <see cref="SlopeVjp"/> reads. Elementwise f: f'(pre) [rows, n].
    /// CLipSwish: [rows, 2n], the derivative of output column j with respect to its input, signs included. MaxMin: [rows, n/2],
    /// 1 where the first of the pair is the greater or they are equal, else 0.
    /// </summary>
    void ActivationSlopes(Activation f, Tensor parameters, Tensor pre, Tensor slopes);

    /// <summary>
    /// result &lt;- J_f' w. slopes as above with B rows, w [k B, OutputColumns(n)], result [k B, n]; row i uses slope row i mod B.
    /// result may be w itself where f is elementwise.
    /// </summary>
    void SlopeVjp(Activation f, Tensor slopes, Tensor w, Tensor result);

    /// <summary>result &lt;- J_f t. slopes as above with B rows, t [k B, n], result [k B, OutputColumns(n)]; row i uses slope row i mod B.</summary>
    void SlopeJvp(Activation f, Tensor slopes, Tensor t, Tensor result);

    /// <summary>
    /// The adjoint of <see cref="Activate"/>. With a, da the value and tangent rows of pre and gy, gdy those of gradient (at kinks: ReLU'(0) = 0, the outer branch of LipschitzCube, exp for Elu):
    /// preGradient &lt;- (f'(a) gy + f''(a) sum_T da gdy, f'(a) gdy), and parameterGradient [1, count] += the derivative of
    /// sum(gy f(a)) + sum(gdy f'(a) da) with respect to the raw parameters. gradient [valueRows (1+T), OutputColumns(n)],
    /// pre and preGradient [.., n]. preGradient may be gradient itself where f is elementwise.
    /// </summary>
    void ActivationBackward(
        Activation f, Tensor parameters, Tensor pre, int valueRows, Tensor gradient, Tensor preGradient, Tensor parameterGradient);

    // ---- rows, columns, sums ----

    /// <summary>Each row of y += row. row [1, n], y [rows, n].</summary>
    void AddRow(Tensor row, Tensor y);

    /// <summary>sums &lt;- the sum of the rows of x + beta sums. x [rows, n], sums [1, n].</summary>
    void ColumnSums(Tensor x, double beta, Tensor sums);

    /// <summary>mean and variance (over rows, divided by the number of rows) of each column. x [rows, n], mean and variance [1, n].</summary>
    void ColumnMoments(Tensor x, Tensor mean, Tensor variance);

    /// <summary>dots_i &lt;- alpha sum_j x_ij y_ij + beta dots_i. x, y [rows, n] (may be the same), dots [rows, 1].</summary>
    void RowDots(double alpha, Tensor x, Tensor y, double beta, Tensor dots);

    /// <summary>y_i &lt;- factors_i x_i. factors [B, 1], x and y [k B, n]; row i uses factor i mod B; y may be x.</summary>
    void ScaleRows(Tensor factors, Tensor x, Tensor y);

    /// <summary>y &lt;- alpha x + beta y, same shapes; with beta = 0 the old y is not read. x may be y.</summary>
    void Axpby(double alpha, Tensor x, double beta, Tensor y);

    /// <summary>Whether every element is finite.</summary>
    bool AllFinite(Tensor x);

    // ---- ActNorm ----

    /// <summary>y &lt;- (x + shift) exp(logScale), logDet_i += rowsPerSample * sum(logScale). x, y [B rowsPerSample, n], logDet [B, 1].</summary>
    void ActNormForward(Tensor x, Tensor shift, Tensor logScale, int rowsPerSample, Tensor y, Tensor logDet);

    /// <summary>x &lt;- y exp(-logScale) - shift. x may be y.</summary>
    void ActNormInverse(Tensor y, Tensor shift, Tensor logScale, Tensor x);

    /// <summary>
    /// xGradient &lt;- yGradient exp(logScale); shiftGradient += its column sums; logScaleGradient_j += sum_i yGradient_ij y_ij +
    /// rowsPerSample * sum_i logDetGradient_i. logDetGradient [B, 1]; xGradient may be yGradient.
    /// </summary>
    void ActNormBackward(
        Tensor y, Tensor logScale, int rowsPerSample, Tensor yGradient, Tensor logDetGradient, Tensor xGradient,
        Tensor shiftGradient, Tensor logScaleGradient);

    // ---- small Jacobians: one d x d matrix a sample ----

    /// <summary>
    /// tangents [d B, d] &lt;- d independent directions a sample: block 0 is the probe [B, d]; blocks 1.. are the unit vectors except the
    /// one along the probe's largest component in magnitude (the first of equals).
    /// </summary>
    void CompleteBasis(Tensor probe, Tensor tangents);

    /// <summary>jacobians_i [B, d d] (row-major) &lt;- the matrix J with J t = image for the d tangents of sample i. tangents, images [d B, d].</summary>
    void SolveJacobians(Tensor tangents, Tensor images, Tensor jacobians);

    /// <summary>
    /// logDet_i &lt;- log det(I + J_i) (NaN where the determinant is not positive), and cotangents [d B, d]: block k row i is
    /// (I + J_i)^-T e_k, so that the derivative of logDet is the sum over k of cotangent_k . dJ e_k. jacobians [B, d d], logDet [B, 1].
    /// </summary>
    void ExactLogDet(Tensor jacobians, Tensor logDet, Tensor cotangents);

    /// <summary>
    /// A power series in small Jacobians: with u_k = (J')^k probe, k = 1..n, logDet_i &lt;- sum_k values[k-1] u_k . probe and
    /// cotangent_i &lt;- probe + sum_k cotangents[k-1] u_k. jacobians [B, d d], probe and cotangent [B, d], logDet [B, 1].
    /// </summary>
    void SeriesLogDet(
        Tensor jacobians, Tensor probe, ReadOnlySpan<double> values, ReadOnlySpan<double> cotangents, Tensor logDet, Tensor cotangent);

    // ---- weights ----

    /// <summary>
    /// Power iteration: repeats u &lt;- W v / |W v|, v &lt;- W'u / |W'u| and leaves sigma &lt;- u'W v. Stops early once |sigma - its last value|
    /// &lt;= tolerance * sigma (tolerance 0: never), in the second iteration at the earliest. W v = 0 gives sigma 0 and leaves u, v. w [m, n], u [1, m], v [1, n], sigma [1, 1].
    /// With 0 iterations only sigma is written. An estimate from below, never a bound. How many iterations were made is not told: on a device that
    /// would mean waiting for it.
    /// </summary>
    void PowerIterate(Tensor w, int iterations, double tolerance, Tensor u, Tensor v, Tensor sigma);

    /// <summary>effective &lt;- w min(1, coefficient/sigma), its column j times columnScale_j. w [m, n], sigma [1, 1], columnScale [1, n].</summary>
    void NormaliseWeight(Tensor w, Tensor sigma, double coefficient, Tensor columnScale, Tensor effective);

    /// <summary>
    /// The adjoint of <see cref="NormaliseWeight"/>, sigma = u'w v with u and v constant. With N = w min(1, coefficient/sigma):
    /// columnGradient_j &lt;- sum_i gradient_ij N_ij; gradient (in place, with respect to the effective weight before, to w after)
    /// G_ij &lt;- gradient_ij columnScale_j, and where sigma &gt; coefficient G &lt;- (coefficient/sigma) (G - (&lt;G, w&gt;/sigma) u v').
    /// </summary>
    void NormaliseWeightBackward(
        Tensor w, Tensor u, Tensor v, Tensor sigma, double coefficient, Tensor columnScale, Tensor gradient, Tensor columnGradient);

    /// <summary>
    /// The column factors of a chain of concatenations (Perugachi-Diaz et al. 2020, eq. 4). raw [depth, 2] holds K; h = softplus(K) + 0.1,
    /// (e1, e2) = c h / |h| for each layer. Slice 0 has sliceWidths[0] columns (the input), slice j the output of layer j. Row i of
    /// scales [depth + 1, sum of widths] holds, for slices j &lt;= i, the factor by which the input of layer i+1 carries slice j:
    /// prod_{l=1..i} e1_l for j = 0, else e2_j prod_{l=j+1..i} e1_l; columns of later slices are 0.
    /// </summary>
    void ConcatenationScales(Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scales);

    /// <summary>rawGradient += the derivative of sum(scalesGradient * scales) with respect to raw. Shapes as above.</summary>
    void ConcatenationScalesBackward(
        Tensor raw, double bound, ReadOnlySpan<int> sliceWidths, Tensor scalesGradient, Tensor rawGradient);

    // ---- optimiser ----

    /// <summary>norm [1, 1] &lt;- |x|_2, summed in double in a fixed order.</summary>
    void Norm(Tensor x, Tensor norm);

    /// <summary>
    /// One Adam step on flat [1, n] tensors with gradient scaled by min(1, clip/norm) (clip positive infinity: norm is not read), and
    /// average &lt;- d average + (1 - d) parameters afterwards. norm [1, 1]. With d = 0 average may be parameters itself.
    /// </summary>
    void Adam(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, Tensor average, Tensor norm, double clip,
        AdamStep step);

    // ---- random numbers ----

    /// <summary>x_ij &lt;- the standard normal draw j of row firstRow + i under key (<see cref="NormalDraws"/>).</summary>
    void FillNormal(RandomKey key, long firstRow, Tensor x);

    /// <summary>x_ij &lt;- the random sign (+1 or -1) j of row firstRow + i under key.</summary>
    void FillSigns(RandomKey key, long firstRow, Tensor x);
}
