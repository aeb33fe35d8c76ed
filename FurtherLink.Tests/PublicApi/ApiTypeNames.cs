using System.Reflection;
using System.Runtime.CompilerServices;

namespace FurtherLink.Tests.PublicApi;

/// <summary>Types as C# spells them, with "?" where null is allowed.</summary>
internal static class ApiTypeNames
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(char)] = "char",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
        [typeof(nint)] = "nint",
        [typeof(nuint)] = "nuint",
    };

    /// <summary>A declared type with its namespace: "FurtherLink.LinkBuilder", "A.Outer.Inner{T}".</summary>
    public static string Full(Type type) => $"{type.Namespace}.{Nested(type)}{Parameters(type)}";

    /// <summary>A type without its namespace, nothing said of null.</summary>
    public static string Short(Type type) => Short(type, null);

    /// <summary>A parameter's type.</summary>
    public static string Of(ParameterInfo parameter) => Short(Plain(parameter.ParameterType), new NullabilityInfoContext().Create(parameter));

    /// <summary>A property's type.</summary>
    public static string Of(PropertyInfo property) => Short(Plain(property.PropertyType), new NullabilityInfoContext().Create(property));

    /// <summary>A field's type.</summary>
    public static string Of(FieldInfo field) => Short(field.FieldType, new NullabilityInfoContext().Create(field));

    /// <summary>An event's type.</summary>
    public static string Of(EventInfo one) => Short(one.EventHandlerType!, new NullabilityInfoContext().Create(one));

    private static Type Plain(Type type) => type.IsByRef ? type.GetElementType()! : type;

    private static string Short(Type type, NullabilityInfo? nullability)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Short(value, nullability?.Type == type ? nullability.GenericTypeArguments.FirstOrDefault() : nullability) + "?";
        var mark = !type.IsValueType && nullability is { ReadState: NullabilityState.Nullable } or { WriteState: NullabilityState.Nullable } ? "?" : "";
        if (type.IsByRef)
            return "ref " + Short(type.GetElementType()!, nullability) + mark;
        if (type.IsPointer)
            return Short(type.GetElementType()!) + "*";
        if (type.IsArray)
            return $"{Short(type.GetElementType()!, nullability?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword + mark;
        if (type.IsGenericParameter)
            return type.Name + mark;
        var arguments = type.GetGenericArguments().Select((argument, i) => Short(argument, nullability?.GenericTypeArguments.ElementAtOrDefault(i))).ToList();
        if (type.IsGenericType && typeof(ITuple).IsAssignableFrom(type) && type.IsValueType)
            return $"({string.Join(", ", arguments)}){mark}";
        return (arguments.Count == 0 ? Nested(type) : $"{Nested(type)}<{string.Join(", ", arguments)}>") + mark;
    }

    private static string Nested(Type type)
    {
        var name = type.Name.Split('`')[0];
        return type is { IsNested: true, IsGenericParameter: false } ? $"{Nested(type.DeclaringType!)}.{name}" : name;
    }

    private static string Parameters(Type type) =>
        type.IsGenericTypeDefinition ? $"<{string.Join(", ", type.GetGenericArguments().Select(parameter => parameter.Name))}>" : "";
}
