namespace FurtherLink.Processes.Io;

/// <summary>Is told what happens on a descriptor.</summary>
internal interface IDescriptorHandler
{
    /// <summary>Called on the loop's thread; must not wait.</summary>
    /// <param name="events">What epoll says: <see cref="Native.Libc.EpollIn"/> and its like.</param>
    void OnReady(uint events);
}
