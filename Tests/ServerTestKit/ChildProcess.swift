public import Foundation
import Synchronization

/// A child that dies with us: started with a death signal, watched, stopped by its id and no other.
public final class ChildProcess: Sendable {
    private struct State {
        var exitStatus: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }
    private let state = Mutex(State())
    private let process: Process
    public let processIdentifier: Int32

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - user: Run as this user when we are root (Postgres refuses root).
    ///   - deathSignal: Sent to the child when our process ends, however it ends.
    ///   - output: File that takes standard output and error; appended.
    public static func start(
        _ arguments: [String], user: String? = nil, deathSignal: String = "TERM", environment: [String: String] = [:],
        output: URL? = nil
    ) throws -> ChildProcess {
        // The death signal fires when the *thread* that started the child ends: all children start on one that never does.
        try Spawner.shared.run {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/setpriv")
            var words = ["--pdeathsig", deathSignal]
            if let user, geteuid() == 0 { words += ["--reuid", user, "--regid", user, "--clear-groups"] }
            process.arguments = words + arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
            process.standardInput = FileHandle.nullDevice
            if let output {
                if !FileManager.default.fileExists(atPath: output.path) {
                    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
                }
                let handle = try FileHandle(forWritingTo: output)
                try handle.seekToEnd()
                process.standardOutput = handle
                process.standardError = handle
            } else {
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
            }
            return try ChildProcess(process)
        }
    }

    private init(_ process: Process) throws {
        self.process = process
        let started = Started()
        process.terminationHandler = { ended in started.ended(ended.terminationStatus) }
        try process.run()
        processIdentifier = process.processIdentifier
        started.tell { [weak self] status in self?.ended(status) }
    }

    private func ended(_ status: Int32) {
        let waiters = state.withLock { state in
            state.exitStatus = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    public var isRunning: Bool { state.withLock { $0.exitStatus == nil } }

    public func signal(_ number: Int32) {
        if isRunning { kill(processIdentifier, number) }
    }

    /// Waits for the end.
    @discardableResult
    public func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Int32? in
                if let status = state.exitStatus { return status }
                state.waiters.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Asks it to stop; kills it when it does not within `seconds`.
    public func stop(_ number: Int32 = SIGTERM, seconds: Int = 20) async {
        signal(number)
        let killer = Task {
            try await Task.sleep(for: .seconds(seconds))
            self.signal(SIGKILL)
        }
        await wait()
        killer.cancel()
    }
}

/// Passes a child's end on, whichever comes first: the end or the listener.
private final class Started: Sendable {
    private let state = Mutex<(status: Int32?, listener: (@Sendable (Int32) -> Void)?)>((nil, nil))
    func ended(_ status: Int32) {
        let listener = state.withLock { state in
            state.status = status
            return state.listener
        }
        listener?(status)
    }
    func tell(_ listener: @escaping @Sendable (Int32) -> Void) {
        let status = state.withLock { state in
            state.listener = listener
            return state.status
        }
        if let status { listener(status) }
    }
}

/// The thread that starts children and never ends.
private final class Spawner: Sendable {
    static let shared = Spawner()
    private let work = Mutex<[@Sendable () -> Void]>([])
    private let available = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                available.wait()
                let next = work.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                next?()
            }
        }
        thread.name = "children"
        thread.start()
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let box = Mutex<Result<Value, any Error>?>(nil)
        work.withLock { work in
            work.append {
                let result = Result { try body() }
                box.withLock { $0 = result }
                done.signal()
            }
        }
        available.signal()
        done.wait()
        guard let result = box.withLock({ $0 }) else { throw ServerFailure("the child was not started") }
        return try result.get()
    }
}

/// A private server could not be set up; says what to look at.
public struct ServerFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Asks again until it is true, bounded.
func waitUntil(_ what: String, seconds: Double = 30, _ check: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while !(try check()) {
        guard ContinuousClock.now < end else { throw ServerFailure("\(what) took longer than \(seconds) s") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
