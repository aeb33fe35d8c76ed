using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace FurtherLink.Tests.PublicApi;

/// <summary>
/// Writes down what an assembly shows to who refers to it: a line for each type and each of its members, sorted, so that a change shows as a
/// changed line. What the compiler makes for records is left out; the word "record" says it.
/// </summary>
internal static class ApiPrinter
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>All lines of an assembly.</summary>
    public static IEnumerable<string> Print(Assembly assembly) => Print(assembly.GetExportedTypes());

    /// <summary>All lines of some types.</summary>
    public static IEnumerable<string> Print(params IEnumerable<Type> types) => types
        .SelectMany(type => Members(type).Order(StringComparer.Ordinal).Prepend(Type(type)).Select(line => (Name: ApiTypeNames.Full(type), Line: line)))
        .GroupBy(pair => pair.Name, StringComparer.Ordinal)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .SelectMany(group => group.Select(pair => pair.Line));

    private static string Type(Type type)
    {
        var line = new StringBuilder(ApiTypeNames.Full(type)).Append(" : ").Append(Kind(type));
        if (type.IsEnum)
            return Obsolete(type) + line.Append(' ').Append(ApiTypeNames.Short(System.Enum.GetUnderlyingType(type)));
        if (IsDelegate(type))
            return Obsolete(type) + line;
        var bases = new List<string>();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            bases.Add(ApiTypeNames.Short(parent));
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var own = type.GetInterfaces().Where(one => one.IsVisible && !inherited.Contains(one) && !IsRecordsEquatable(type, one)).ToList();
        bases.AddRange(own.Where(one => !own.Exists(other => other != one && other.GetInterfaces().Contains(one))).Select(ApiTypeNames.Short).Order(StringComparer.Ordinal));
        foreach (var one in bases)
            line.Append(", ").Append(one);
        return Obsolete(type) + line.Append(Constraints(type.GetGenericArguments()));
    }

    private static string Kind(Type type)
    {
        if (type.IsInterface)
            return "interface";
        if (type.IsEnum)
            return "enum";
        if (IsDelegate(type))
            return "delegate";
        var record = IsRecord(type) ? "record " : "";
        if (type.IsValueType)
            return (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + (type.IsByRefLike ? "ref " : "") + record + "struct";
        return (type is { IsAbstract: true, IsSealed: true } ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + record + "class";
    }

    private static IEnumerable<string> Members(Type type)
    {
        var name = ApiTypeNames.Full(type);
        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(field => $"{name}.{field.Name} = {Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}");
        }

        if (IsDelegate(type))
            return [Method(name, type.GetMethod("Invoke")!)];
        return type.GetConstructors(Declared).Where(one => IsShown(one) && !IsCopy(one)).Select(one => $"{Obsolete(one)}{name}.{Scope(one)}new({Parameters(one)})")
            .Concat(type.GetMethods(Declared).Where(one => IsShown(one) && !IsMadeByCompiler(one) && !IsAccessor(type, one)).Select(one => Method(name, one)))
            .Concat(type.GetProperties(Declared).Where(one => one.GetAccessors(nonPublic: true).Any(IsShown) && one.Name != "EqualityContract").Select(one => Property(name, one)))
            .Concat(type.GetFields(Declared).Where(one => one.IsPublic || one.IsFamily || one.IsFamilyOrAssembly).Select(one => Field(name, one)))
            .Concat(type.GetEvents(Declared).Where(one => IsShown(one.AddMethod!)).Select(one => $"{Obsolete(one)}{name}.{Scope(one.AddMethod!)}event {one.Name} : {ApiTypeNames.Of(one)}"));
    }

    private static string Method(string type, MethodInfo method)
    {
        var generic = method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(one => one.Name))}>" : "";
        return $"{Obsolete(method)}{type}.{Scope(method)}{method.Name}{generic}({Parameters(method)}) : {ApiTypeNames.Of(method.ReturnParameter)}{Constraints(method.GetGenericArguments())}";
    }

    private static string Property(string type, PropertyInfo property)
    {
        var scope = Scope(property.GetAccessors(nonPublic: true).First(IsShown));
        var index = property.GetIndexParameters() is { Length: > 0 } parameters ? $"[{string.Join(", ", parameters.Select(Parameter))}]" : "";
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        var accessors = new List<string>();
        if (property.GetMethod is { } get && IsShown(get))
            accessors.Add(Family(get) + "get;");
        if (property.SetMethod is { } set && IsShown(set))
            accessors.Add(Family(set) + (set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init;" : "set;"));
        return $"{Obsolete(property)}{type}.{scope}{required}{property.Name}{index} {{ {string.Join(' ', accessors)} }} : {ApiTypeNames.Of(property)}";
    }

    private static string Field(string type, FieldInfo field)
    {
        var kind = field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "");
        var value = field.IsLiteral ? " = " + Value(field.GetRawConstantValue()) : "";
        return $"{Obsolete(field)}{type}.{(field.IsPublic ? "" : "protected ")}{kind}{field.Name}{value} : {ApiTypeNames.Of(field)}";
    }

    private static string Parameters(MethodBase method)
    {
        var extends = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return extends + string.Join(", ", method.GetParameters().Select(Parameter));
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var passed = parameter switch
        {
            { IsOut: true } => "out ",
            { ParameterType.IsByRef: true, IsIn: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) => "params ",
            _ => "",
        };
        var value = parameter.HasDefaultValue ? " = " + Default(parameter) : "";
        return $"{passed}{ApiTypeNames.Of(parameter)} {parameter.Name}{value}";
    }

    private static string Default(ParameterInfo parameter) =>
        parameter.RawDefaultValue is null ? parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : "null" : Value(parameter.RawDefaultValue);

    private static string Value(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Scope(MethodBase method)
    {
        var scope = Family(method);
        if (method.DeclaringType!.IsInterface || IsDelegate(method.DeclaringType))
            return method.IsStatic ? "static " : "";
        if (method.IsStatic)
            return scope + "static ";
        if (method.IsAbstract)
            return scope + "abstract ";
        if (method is MethodInfo one && one.GetBaseDefinition() != one)
            return scope + (one.IsFinal ? "sealed override " : "override ");
        return scope + (method is { IsVirtual: true, IsFinal: false } ? "virtual " : "");
    }

    private static string Family(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Constraints(Type[] parameters) => string.Concat(parameters.Where(one => one.IsGenericParameter).Select(Constraint));

    private static string Constraint(Type parameter)
    {
        var special = parameter.GenericParameterAttributes;
        var all = new List<string>();
        if (special.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint))
            all.Add("struct");
        else if (special.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
            all.Add("class");
        all.AddRange(parameter.GetGenericParameterConstraints().Where(one => one != typeof(ValueType)).Select(ApiTypeNames.Short).Order(StringComparer.Ordinal));
        if (special.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !all.Contains("struct"))
            all.Add("new()");
        return all.Count == 0 ? "" : $" where {parameter.Name} : {string.Join(", ", all)}";
    }

    // For old compilers, constructors of types with required members are marked as well.
    private static string Obsolete(MemberInfo member) => member.IsDefined(typeof(ObsoleteAttribute)) && !member.IsDefined(typeof(CompilerFeatureRequiredAttribute)) ? "[Obsolete] " : "";

    private static bool IsShown(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsDelegate(Type type) => type.IsSubclassOf(typeof(MulticastDelegate));

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared) is { } method && method.IsDefined(typeof(CompilerGeneratedAttribute));

    private static bool IsRecordsEquatable(Type type, Type one) => IsRecord(type) && one == typeof(IEquatable<>).MakeGenericType(type);

    private static bool IsMadeByCompiler(MethodInfo method) => method.Name.StartsWith('<') || method.IsDefined(typeof(CompilerGeneratedAttribute));

    // A record's constructor from another of its kind.
    private static bool IsCopy(ConstructorInfo one) =>
        IsRecord(one.DeclaringType!) && one.GetParameters() is [var only] && only.ParameterType == one.DeclaringType && one.IsDefined(typeof(CompilerGeneratedAttribute));

    private static bool IsAccessor(Type type, MethodInfo method) => method.IsSpecialName
        && (type.GetProperties(Declared).Any(one => one.GetAccessors(nonPublic: true).Contains(method))
            || type.GetEvents(Declared).Any(one => one.AddMethod == method || one.RemoveMethod == method));
}
