using System.Globalization;
using System.Text;
using CsCheck;
using MarketData.Domain.Numbers;

namespace MarketData.Tests.Unit.Domain;

public class FixedPointTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1", 10_000)]
    [InlineData("0.5", 5_000)]
    [InlineData("0.48", 4_800)]
    [InlineData("0.960", 9_600)]
    [InlineData("0.4800", 4_800)]
    [InlineData("0.0001", 1)]
    [InlineData("0.56500", 5_650)]
    [InlineData("0.054600", 546)]
    [InlineData("1.000000", 10_000)]
    [InlineData("00.4800", 4_800)]
    public void A_price_of_up_to_six_decimals_is_read_exactly(string text, int expected)
    {
        Assert.True(FixedPoint.TryParsePrice(Encoding.UTF8.GetBytes(text), out int price));
        Assert.Equal(expected, price);
    }

    [Theory]
    [InlineData("0.05465")]
    [InlineData("0.054601")]
    [InlineData("0.4800000")]
    [InlineData("1.0001")]
    [InlineData("2")]
    [InlineData("-0.4800")]
    [InlineData("-0.0000")]
    [InlineData("+0.48")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("-")]
    [InlineData(".48")]
    [InlineData("0.")]
    [InlineData("0,48")]
    [InlineData("0.4.8")]
    [InlineData(" 0.48")]
    [InlineData("0.48 ")]
    [InlineData("4.8e-1")]
    [InlineData("NaN")]
    [InlineData("0x1")]
    [InlineData("٠.٤٨")]
    [InlineData("0.48/")]
    [InlineData("0.48:")]
    [InlineData("9999999999999999999999")]
    [InlineData("18446744073709551616.5")]
    public void A_price_that_is_inexact_out_of_range_or_no_number_is_refused(string text)
    {
        Assert.False(FixedPoint.TryParsePrice(Encoding.UTF8.GetBytes(text), out int price));
        Assert.Equal(0, price);
    }

    [Theory]
    [InlineData("31.54", 3_154)]
    [InlineData("-6674.00", -667_400)]
    [InlineData("20", 2_000)]
    [InlineData("0.5", 50)]
    [InlineData("1406474.86", 140_647_486)]
    [InlineData("0.010000", 1)]
    [InlineData("999999999999999.99", FixedPoint.MaxCount)]
    public void A_count_is_read_exactly_with_its_sign(string text, long expected)
    {
        Assert.True(FixedPoint.TryParseCount(Encoding.UTF8.GetBytes(text), out long count));
        Assert.Equal(expected, count);
    }

    [Theory]
    [InlineData("0.005")]
    [InlineData("1.234")]
    [InlineData("1000000000000000")]
    [InlineData("--1")]
    [InlineData("1-")]
    [InlineData("")]
    public void A_count_finer_than_a_hundredth_or_too_large_is_refused(string text) =>
        Assert.False(FixedPoint.TryParseCount(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void Every_price_is_written_with_four_decimals_and_read_back()
    {
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        for (int price = 0; price <= FixedPoint.PriceScale; price++)
        {
            var written = text[..FixedPoint.FormatPrice(price, text)];
            Assert.Equal((price / 10_000m).ToString("F4", CultureInfo.InvariantCulture), Encoding.UTF8.GetString(written));
            Assert.True(FixedPoint.TryParsePrice(written, out int back));
            Assert.Equal(price, back);
        }
    }

    [Fact]
    public void Any_count_is_written_with_two_decimals_and_read_back() =>
        Gen.Long[-FixedPoint.MaxCount, FixedPoint.MaxCount].Sample(count =>
        {
            var text = new byte[FixedPoint.MaxFormattedLength];
            var written = text.AsSpan(0, FixedPoint.FormatCount(count, text));
            Assert.Equal((count / 100m).ToString("F2", CultureInfo.InvariantCulture), Encoding.UTF8.GetString(written));
            Assert.True(FixedPoint.TryParseCount(written, out long back));
            Assert.Equal(count, back);
        });

    [Fact]
    public void Any_text_is_read_as_decimal_arithmetic_reads_it_or_refused() =>
        Gen.Char["0123456789.-"].Array[0, 12].Select(characters => new string(characters)).Sample(text =>
        {
            bool read = FixedPoint.TryParseCount(Encoding.UTF8.GetBytes(text), out long count);
            const NumberStyles Form = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
            bool isNumber = decimal.TryParse(text, Form, CultureInfo.InvariantCulture, out decimal expected)
                && !text.EndsWith('.') && !text.TrimStart('-').StartsWith('.');
            int decimals = text.Contains('.') ? text.Length - text.IndexOf('.') - 1 : 0;
            Assert.Equal(isNumber && decimals <= 6 && expected * 100 % 1 == 0, read);
            if (read) Assert.Equal(expected * 100, count);
        }, iter: 20_000);
}
