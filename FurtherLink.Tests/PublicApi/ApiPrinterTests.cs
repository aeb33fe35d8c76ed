using System.Diagnostics.CodeAnalysis;
using FurtherLink.Sessions;

namespace FurtherLink.Tests.PublicApi;

/// <summary>The printer says all that a caller could trip over, and nothing that the compiler adds.</summary>
[TestFixture]
internal sealed class ApiPrinterTests
{
    private const string Here = "FurtherLink.Tests.PublicApi.ApiPrinterTests";

    [Test]
    public void Class_Printed_ShowsEveryMemberOnce() => Assert.That(ApiPrinter.Print(typeof(Shown<>)), Is.EqualTo(new[]
    {
        $"{Here}.Shown<T> : abstract class, IDisposable where T : class, IDisposable, new()",
        $"{Here}.Shown<T>.Dispose() : void",
        $"{Here}.Shown<T>.Find(string? name, int count = 3, DayOfWeek day = 1, CancellationToken token = default) : Task<string?>",
        $"{Here}.Shown<T>.Of<TOther>(in int one, out TOther two, params string[] rest) : (T, List<string?>?)[] where TOther : struct",
        $"{Here}.Shown<T>.override ToString() : string",
        $"{Here}.Shown<T>.const Limit = 7 : int",
        $"{Here}.Shown<T>.event Changed : EventHandler?",
        $"{Here}.Shown<T>.Item[int index] {{ get; }} : int?",
        $"{Here}.Shown<T>.protected abstract Hook() : void",
        $"{Here}.Shown<T>.protected new(T? value)",
        $"{Here}.Shown<T>.required Name {{ get; init; }} : string",
        $"{Here}.Shown<T>.Size {{ get; protected set; }} : long",
        $"{Here}.Shown<T>.static readonly Empty : IReadOnlyList<object?>",
    }.OrderBy(line => !line.Contains(" : abstract class", StringComparison.Ordinal)).ThenBy(line => line, StringComparer.Ordinal)));

    [Test]
    public void Record_Printed_HasNothingThatTheCompilerAdds() => Assert.That(ApiPrinter.Print(typeof(Pair)), Is.EqualTo(new[]
    {
        $"{Here}.Pair : sealed record class",
        $"{Here}.Pair.Left {{ get; init; }} : string",
        $"{Here}.Pair.Right {{ get; init; }} : int?",
        $"{Here}.Pair.new(string Left, int? Right = null)",
    }));

    [Test]
    public void Others_Printed_AreTold() => Assert.That(ApiPrinter.Print(typeof(Sort), typeof(Ask), typeof(Texts), typeof(Place), typeof(OutputText)), Is.EqualTo(new[]
    {
        "FurtherLink.Sessions.OutputText : static class",
        "FurtherLink.Sessions.OutputText.static ReadTextAsync(this OutputLog output, long from = 0, CancellationToken cancellationToken = default) : IAsyncEnumerable<string>",
        $"{Here}.Ask : delegate",
        $"{Here}.Ask.Invoke(string? question) : bool",
        $"{Here}.Place : readonly record struct",
        $"{Here}.Place.X {{ get; init; }} : int",
        $"{Here}.Place.new(int X)",
        $"{Here}.Sort : enum byte",
        $"{Here}.Sort.One = 1",
        $"{Here}.Sort.Two = 2",
        $"{Here}.Texts : static class",
        $"[Obsolete] {Here}.Texts.static Twice(string text) : string",
    }));

    public enum Sort : byte
    {
        One = 1,
        Two = 2,
    }

    public delegate bool Ask(string? question);

    public sealed record Pair(string Left, int? Right = null);

    public readonly record struct Place(int X);

    public static class Texts
    {
        [Obsolete("Shown as such.")]
        public static string Twice(string text) => text + text;
    }

    [SuppressMessage("Design", "CA1000", Justification = "An example for the printer.")]
    public abstract class Shown<T> : IDisposable
        where T : class, IDisposable, new()
    {
        public const int Limit = 7;

        public static readonly IReadOnlyList<object?> Empty = [];

        protected Shown(T? value) => Value = value;

        public event EventHandler? Changed;

        public required string Name { get; init; }

        public long Size { get; protected set; }

        internal T? Value { get; }

        public int? this[int index] => index == Size ? null : index;

        public Task<string?> Find(string? name, int count = 3, DayOfWeek day = DayOfWeek.Monday, CancellationToken token = default) =>
            Task.FromResult(count > (int)day && !token.IsCancellationRequested ? name ?? Name : null);

        public (T Left, List<string?>? Right)[] Of<TOther>(in int one, out TOther two, params string[] rest)
            where TOther : struct
        {
            two = default;
            return one > rest.Length + Size ? [] : [(new T(), null)];
        }

        public override string ToString() => Name;

        public void Dispose()
        {
            Changed?.Invoke(this, EventArgs.Empty);
            GC.SuppressFinalize(this);
        }

        protected abstract void Hook();

        private protected void Hidden() => Size++;
    }
}
