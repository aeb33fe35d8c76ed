namespace FurtherLink.Tests.Support;

/// <summary>The tests' reader of Prometheus' format can fail.</summary>
[TestFixture]
internal sealed class PrometheusTextTests
{
    [Test]
    public void Text_InTheFormat_IsRead()
    {
        var text = PrometheusText.Parse("# HELP a_total What \\\\ it is\\n.\n# TYPE a_total counter\na_total{x=\"1\",y=\"a\\\"b\\\\n\\n\"} 2 1700000000000\na_total 3\n# EOF\n");
        Assert.That(text.Samples.Select(sample => sample.Key), Is.EqualTo(new[] { "a_total x=1 y=a\"b\\n\n", "a_total" }));
        Assert.That((text.Sum("a_total"), text.Sum("a_total", ("x", "1"))), Is.EqualTo((5.0, 2.0)));
    }

    [TestCase("# TYPE a gauge\na 1")]
    [TestCase("a 1\n")]
    [TestCase("# TYPE a gauge\na x\n")]
    [TestCase("# TYPE a gauge\na{x=1} 1\n")]
    [TestCase("# TYPE a gauge\na{x=\"\\t\"} 1\n")]
    [TestCase("# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n")]
    [TestCase("# TYPE a gauge\na 1\na 2\n")]
    [TestCase("# TYPE a gauge\n# TYPE a gauge\na 1\n")]
    [TestCase("# TYPE a thing\na 1\n")]
    [TestCase("# TYPE a counter\na 1\n")]
    [TestCase("# TYPE a_total counter\na_total -1\n")]
    [TestCase("# HELP a bad \\escape\n# TYPE a gauge\na 1\n")]
    [TestCase("# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{x=\"1\"} 1\n")]
    [TestCase("# TYPE a-b gauge\na-b 1\n")]
    [TestCase("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n")]
    [TestCase("# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n")]
    [TestCase("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n")]
    [TestCase("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n")]
    public void Text_NotInTheFormat_IsRefused(string text) => Assert.That(() => PrometheusText.Parse(text), Throws.TypeOf<FormatException>());
}
