using Lipschitz.Randomness;

namespace Lipschitz.Core.Tests.Randomness;

public class PhiloxTests
{
    [Theory]
    [InlineData("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8")]
    [InlineData("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd")]
    [InlineData("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1")]
    public void Philox_gives_the_published_answers_of_Random123(string counter, string key, string answer)
    {
        uint[] c = Words(counter);
        uint[] k = Words(key);
        Philox.Permute(c[0], c[1], c[2], c[3], k[0], k[1], out uint a, out uint b, out uint third, out uint fourth);
        Assert.Equal(Words(answer), (uint[])[a, b, third, fourth]);
    }

    [Fact]
    public void A_block_has_its_address_as_counter_and_its_seed_as_key()
    {
        // The pi vector again: purpose 3 and index 0x707344 make the last counter word.
        var key = new RandomKey(0x299f31d0_a4093822, (RandomPurpose)0x03, Step: 0x13198a2e, Index: 0x707344);
        Philox.Block(key, row: 0x85a308d3, draw: 0x243f6a88, out uint a, out uint b, out uint c, out uint d);
        Assert.Equal(Words("d16cfe09 94fdcceb 5001e420 24126ea1"), (uint[])[a, b, c, d]);
    }

    private static uint[] Words(string text) => [.. text.Split(' ').Select(word => Convert.ToUInt32(word, 16))];
}
