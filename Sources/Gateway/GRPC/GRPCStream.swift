import NIOCore
import NIOHPACK
import NIOHTTP2

/// One HTTP/2 stream on its event loop: collects a request, has it answered, writes the answer.
///
/// A unary call has one request and one answer. In an exchange (server reflection) every request has its answer, in order, until
/// the caller has no more.
///
/// The answering runs as a task of its own and comes back to the loop once. A waiting call is cancelled when its caller hangs
/// up or the server shuts down; any other is better finished.
final class GRPCStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Phase {
        case idle
        case reading(GRPCRequestHead, GRPCMessages)
        /// The caller may not have said yet that it has no more to send.
        case answering(isHalfClosed: Bool)
        /// One request after the other; `isBusy` while one is being answered.
        case exchanging(Exchange)
        case over
    }

    private struct Exchange {
        var head: GRPCRequestHead
        var messages: GRPCMessages
        var isBusy = false
        var isHalfClosed = false
        var hasAnswered = false
    }

    private let answering: GRPCAnswering
    private var phase = Phase.idle
    private var context: ChannelHandlerContext?
    private var call: GRPCAnswering.Handle?

    init(_ answering: GRPCAnswering) { self.answering = answering }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .over
        call?.callerIsGone()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers): received(headers.headers, isLast: headers.endStream)
        case .data(let part):
            guard case .byteBuffer(let bytes) = part.data else { return }
            received(bytes, isLast: part.endStream)
        default: break  // flow control, priorities and pings are the library's
        }
    }

    // MARK: In

    private func received(_ headers: HPACKHeaders, isLast: Bool) {
        switch phase {
        case .idle:
            guard let head = GRPCRequestHead(headers, now: answering.now) else {
                write(ending: GRPCHeaders.unsupported)
                return
            }
            let messages = GRPCMessages(bytesMax: answering.messageBytesMax)
            phase =
                answering.isExchange(head.method)
                ? .exchanging(Exchange(head: head, messages: messages)) : .reading(head, messages)
            if isLast { end() }
        case .reading, .answering, .exchanging: if isLast { end() }
        case .over: break
        }
    }

    private func received(_ bytes: ByteBuffer, isLast: Bool) {
        if case .exchanging(var exchange) = phase {
            phase = .over
            exchange.messages.append(bytes)
            exchange.isHalfClosed = isLast
            goOn(exchange)
            return
        }
        guard case .reading(let head, var messages) = phase else {
            if isLast { end() }
            return
        }
        phase = .over  // gives up the second reference to the bytes
        messages.append(bytes)
        do throws(GRPCMessages.Failure) {
            if let message = try messages.next() {
                phase = .answering(isHalfClosed: isLast)
                answer(head, message)
            } else {
                phase = .reading(head, messages)
                if isLast { end() }
            }
        } catch {
            phase = .answering(isHalfClosed: isLast)
            refuse(answering.failure(error))
        }
    }

    /// The caller has sent everything.
    private func end() {
        switch phase {
        case .idle, .over: break
        case .answering: phase = .answering(isHalfClosed: true)
        case .exchanging(var exchange):
            exchange.isHalfClosed = true
            goOn(exchange)
        case .reading(let head, let messages):
            phase = .answering(isHalfClosed: true)
            guard messages.isInside else {
                refuse(
                    WireFailure(.internalError, "grpc: \(head.method.name) was called without a request message"))
                return
            }
            refuse(WireFailure(.internalError, "grpc: the request message is cut short"))
        }
    }

    private func answer(_ head: GRPCRequestHead, _ message: GRPCMessages.Message) {
        guard let context else { return }
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        call = answering.answer(head, message) { result in
            loop.execute { this.value.write(result) }
        }
    }

    /// Answers the next request of an exchange, or ends it.
    private func goOn(_ before: Exchange) {
        var exchange = before
        guard !exchange.isBusy else {
            phase = .exchanging(exchange)
            return
        }
        do throws(GRPCMessages.Failure) {
            if let message = try exchange.messages.next() {
                exchange.isBusy = true
                phase = .exchanging(exchange)
                answer(exchange.head, message)
            } else if exchange.isHalfClosed {
                phase = .answering(isHalfClosed: true)
                write(ending: exchange.hasAnswered ? GRPCHeaders.success : GRPCHeaders.emptySuccess)
            } else {
                phase = .exchanging(exchange)
            }
        } catch {
            fail(exchange, answering.failure(error))
        }
    }

    private func fail(_ exchange: Exchange, _ failure: WireFailure) {
        phase = .answering(isHalfClosed: exchange.isHalfClosed)
        write(ending: exchange.hasAnswered ? GRPCHeaders.trailers(failure) : GRPCHeaders.failure(failure))
    }

    // MARK: Out

    private func refuse(_ failure: WireFailure) {
        write(ending: GRPCHeaders.failure(failure))
    }

    private func write(_ result: Result<[UInt8], WireFailure>) {
        call = nil
        switch (phase, result) {
        case (.answering, .failure(let failure)): refuse(failure)
        case (.answering, .success(let bytes)):
            write(message: bytes, isFirst: true)
            write(ending: GRPCHeaders.success)
        case (.exchanging(let exchange), .failure(let failure)): fail(exchange, failure)
        case (.exchanging(var exchange), .success(let bytes)):
            write(message: bytes, isFirst: !exchange.hasAnswered)
            context?.flush()
            exchange.isBusy = false
            exchange.hasAnswered = true
            goOn(exchange)
        case (.idle, _), (.reading, _), (.over, _): break
        }
    }

    private func write(message: [UInt8], isFirst: Bool) {
        guard let context else { return }
        if isFirst { context.write(wrapOutboundOut(.headers(.init(headers: GRPCHeaders.answer))), promise: nil) }
        let frame = GRPCMessages.frame(message, context.channel.allocator)
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(frame)))), promise: nil)
    }

    /// The last headers of this side. A caller that still sends is told that nobody reads it.
    private func write(ending headers: HPACKHeaders) {
        guard let context else { return }
        var isHalfClosed = false
        if case .answering(true) = phase { isHalfClosed = true }
        phase = .over
        context.write(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
        if !isHalfClosed { context.write(wrapOutboundOut(.rstStream(.noError)), promise: nil) }
        context.flush()
    }
}
