using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>
/// The dialect of Further-Link's older endpoint /run-py, "run-py": one Python program at a time, so that no message names it; inside
/// its name is "". Uploads come in a message.
/// </summary>
/// <remarks>
/// Messages are those of <see cref="FurtherCodec"/>, {"type", "data"} from the client and {"type", "data", "process": ""} to it, with
/// these differences: start has "sourceScript" and "directoryName", or "sourcePath"; upload has "directory" and "user" and becomes the
/// call files.upload with an <see cref="UploadText"/>; there is no resize and no novnc. A failed upload spells "Bad message" for
/// <see cref="FailureCode.BadMessage"/> (an object of the wrong form) and "Bad upload" for all else.
/// </remarks>
internal sealed class RunPyCodec : IMessageCodec
{
    private const string Name = "";

    private readonly FurtherReader _reader = new();
    private readonly FurtherWriter _writer;

    /// <summary>Makes the codec of one connection.</summary>
    /// <param name="connection">Its extensions are used.</param>
    public RunPyCodec(LinkConnection connection)
    {
        _writer = FurtherWriter.ForRunPy(connection.Lossless);
        _writer.Ask(FurtherExtensionNames.Of(connection.Extensions));
    }

    /// <inheritdoc/>
    public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message)
    {
        message = null;
        if (frame.Kind == FrameKind.Close)
            return false;
        var request = _reader.Read(frame);
        message = request.Verb switch
        {
            FurtherVerb.Stdin => _reader.Input(request, Name),
            FurtherVerb.Ping => new Ping(),
            FurtherVerb.Start => Start(request),
            FurtherVerb.Stop => new Stop(Name),
            FurtherVerb.KeyEvent => new Control(Name, FurtherReader.Key(request)),
            FurtherVerb.Upload => Upload(request),
            _ => throw request.UnknownType(),
        };
        return true;
    }

    /// <inheritdoc/>
    public void Encode(ServerMessage message, FrameWriter output) => _writer.Write(message, output);

    private Start Start(FurtherRequest request)
    {
        var code = request.Text(FurtherField.SourceScript);
        var path = request.Text(code is null ? FurtherField.SourcePath : FurtherField.DirectoryName);
        if (code is null && string.IsNullOrEmpty(path))
            throw request.Bad("start has neither sourceScript nor sourcePath");
        _writer.Ask(FurtherExtensionNames.Of(request.Value(FurtherField.Extensions)));
        return new Start(Name, new RunRequest("python3") { Code = code, Path = path }) { Options = _writer.OptionsFor("python3") };
    }

    private static Call Upload(FurtherRequest request)
    {
        var directory = request.Value(FurtherField.Directory);
        if (directory.Type != JsonTokenType.StartObject)
            throw request.Bad("upload: directory is missing or no object");
        return new Call(FurtherErrors.Upload, new UploadText(directory.Raw.ToArray()) { User = request.Text(FurtherField.User) });
    }
}
