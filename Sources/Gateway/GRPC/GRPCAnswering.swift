import History
import Logging
import Synchronization

/// Has the service answer gRPC requests, each in a task of its own, and knows which of them wait.
final class GRPCAnswering: Sendable {
    /// One call that is being answered.
    struct Handle: Sendable {
        fileprivate let waiting: Task<Void, Never>?

        /// Nobody will read the answer.
        func callerIsGone() { waiting?.cancel() }
    }

    private struct Waiting {
        var isShutDown = false
        var nextID: UInt64 = 0
        var tasks: [UInt64: Task<Void, Never>] = [:]
    }

    private let service: WireService
    private let inflater = Inflater()
    private let waiting = Mutex(Waiting())

    init(service: WireService) { self.service = service }

    var now: Timestamp { service.now }
    var messageBytesMax: Int { service.options.requestBytesMax }

    /// Ends all waiting calls, those to come too.
    func shutDown() {
        let tasks = waiting.withLock { waiting in
            waiting.isShutDown = true
            return Array(waiting.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    /// Begins to answer; `done` is called once, from anywhere.
    func answer(
        _ head: GRPCRequestHead, _ message: GRPCMessages.Message,
        done: @escaping @Sendable (Result<[UInt8], WireFailure>) -> Void
    ) -> Handle {
        guard WireService.mayWait(head.method) else {
            Task { done(await self.result(head, message)) }
            return Handle(waiting: nil)
        }
        let task = waiting.withLock { waiting in
            waiting.nextID += 1
            let id = waiting.nextID
            let task = Task {
                done(await self.result(head, message))
                self.waiting.withLock { $0.tasks[id] = nil }
            }
            waiting.tasks[id] = task
            if waiting.isShutDown { task.cancel() }
            return task
        }
        return Handle(waiting: task)
    }

    private func result(
        _ head: GRPCRequestHead, _ message: GRPCMessages.Message
    ) async -> Result<[UInt8], WireFailure> {
        let request: [UInt8]
        switch open(head, message) {
        case .success(let bytes): request = bytes
        case .failure(let failure): return .failure(failure)
        }
        let call = WireCall(
            method: head.method, request: request, metadata: head.metadata, deadline: head.deadline)
        if call.method.service == WireMethod.healthService { return HealthService.answer(call) }
        if isExchange(call.method) { return ReflectionService.shared.answer(call) }
        return await service.handle(call)
    }

    /// Does this method take many requests on one stream?
    func isExchange(_ method: WireMethod) -> Bool {
        method.name == ReflectionService.methodName && ReflectionService.names.contains(method.service)
    }

    func failure(_ failure: GRPCMessages.Failure) -> WireFailure {
        switch failure {
        case .tooLarge(let size, let isCompressed):
            .requestTooLarge(size, isCompressed: isCompressed, max: messageBytesMax)
        case .malformed: WireFailure(.internalError, "grpc: the message's frame is malformed")
        }
    }

    private func open(
        _ head: GRPCRequestHead, _ message: GRPCMessages.Message
    ) -> Result<[UInt8], WireFailure> {
        guard message.isCompressed else { return .success(message.bytes) }
        switch head.encoding {
        case .unknown(let name):
            return .failure(
                WireFailure(.unimplemented, "grpc: Decompressor is not installed for grpc-encoding \"\(name)\""))
        case .identity:
            return .failure(
                WireFailure(.internalError, "grpc: compressed flag set with identity or empty encoding"))
        case .zlib: break
        }
        do throws(Inflater.Failure) {
            return .success(try inflater.inflate(message.bytes, max: messageBytesMax))
        } catch {
            switch error {
            case .tooLong:
                return .failure(
                    .requestTooLarge(message.bytes.count, isCompressed: true, max: messageBytesMax))
            case .damaged:
                return .failure(WireFailure(.internalError, "grpc: failed to decompress the received message"))
            }
        }
    }
}
