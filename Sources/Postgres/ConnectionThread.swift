import Glibc
import Synchronization

/// What is asked of a connection's thread.
enum ConnectionJob: Sendable {
    case pipeline([StatementCall], @Sendable (Result<[ResultSet], PostgresError>) -> Void)
    case script(String, @Sendable (Result<[ResultSet], PostgresError>) -> Void)

    func finish(_ result: Result<[ResultSet], PostgresError>) {
        switch self {
        case .pipeline(_, let done), .script(_, let done): done(result)
        }
    }
}

/// The letter box between a ``PostgresConnection`` and its thread.
final class ConnectionMailbox: Sendable {
    struct State {
        var jobs: [ConnectionJob] = []
        var closing = false
        /// The thread has ended, or will at once: nothing is taken any more.
        var isDead = false
        var isInTransaction = false
        var backendProcessID: Int32 = 0
    }

    let state = Mutex(State())
    let wakePipe: WakePipe
    let onNotification: (@Sendable (PostgresNotification) -> Void)?
    let onEnd: (@Sendable () -> Void)?

    init(
        onNotification: (@Sendable (PostgresNotification) -> Void)?, onEnd: (@Sendable () -> Void)?
    ) throws(PostgresError) {
        wakePipe = try WakePipe()
        self.onNotification = onNotification
        self.onEnd = onEnd
    }

    func post(_ job: ConnectionJob) {
        let taken = state.withLock { state in
            guard !state.closing, !state.isDead else { return false }
            state.jobs.append(job)
            return true
        }
        if taken {
            wakePipe.wake()
        } else {
            job.finish(.failure(PostgresError(.connectionLost, reason: "connection is closed")))
        }
    }

    func close() {
        state.withLock { $0.closing = true }
        wakePipe.wake()
    }
}

/// The thread that owns one ``LibpqConnection`` from the first byte to the last: it sleeps in `poll`, so that no thread of
/// Swift's cooperative pool ever waits for the network.
enum ConnectionThread {
    /// Starts the thread; `connected` is called once, from it.
    static func start(
        _ configuration: PostgresConfiguration, _ mailbox: ConnectionMailbox,
        connected: @escaping @Sendable (PostgresError?) -> Void
    ) {
        let body = Body { run(configuration, mailbox, connected) }
        let context = Unmanaged.passRetained(body).toOpaque()
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let started = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().action()
                return nil
            }, context)
        pthread_attr_destroy(&attributes)
        if started != 0 {
            Unmanaged<Body>.fromOpaque(context).release()
            connected(PostgresError(.connectFailed, reason: "no thread could be started"))
        }
    }

    private static let stackBytes = 512 << 10

    private final class Body {
        let action: () -> Void
        init(_ action: @escaping () -> Void) { self.action = action }
    }

    private static func run(
        _ configuration: PostgresConfiguration, _ mailbox: ConnectionMailbox, _ connected: (PostgresError?) -> Void
    ) {
        let connection: LibpqConnection
        do throws(PostgresError) {
            connection = try LibpqConnection(configuration)
        } catch {
            mailbox.state.withLock { $0.isDead = true }
            connected(error)
            return
        }
        mailbox.state.withLock { $0.backendProcessID = connection.backendProcessID }
        connected(nil)
        serve(connection, mailbox)
        let abandoned = mailbox.state.withLock { state in
            state.isDead = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in abandoned {
            job.finish(.failure(PostgresError(.connectionLost, reason: "connection lost before it was used")))
        }
        mailbox.onEnd?()
    }

    private static func serve(_ connection: LibpqConnection, _ mailbox: ConnectionMailbox) {
        while true {
            let ready = Poll.waitForEither(mailbox.wakePipe.readEnd, connection.descriptor)
            if ready.second {
                for notification in connection.readUnasked() { mailbox.onNotification?(notification) }
            }
            if connection.isBroken { return }
            if ready.first { mailbox.wakePipe.drain() }
            while true {
                let (job, closing) = mailbox.state.withLock { state in
                    (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.closing)
                }
                guard let job else {
                    if closing { return }
                    break
                }
                guard perform(job, connection, mailbox) else { return }
            }
        }
    }

    /// False when the connection cannot be used any more.
    private static func perform(_ job: ConnectionJob, _ connection: LibpqConnection, _ mailbox: ConnectionMailbox)
        -> Bool
    {
        let result: Result<[ResultSet], PostgresError>
        do throws(PostgresError) {
            switch job {
            case .pipeline(let calls, _): result = .success(try connection.run(calls))
            case .script(let sql, _):
                try connection.runScript(sql)
                result = .success([])
            }
        } catch {
            result = .failure(error)
        }
        let isUsable = !connection.isStale && !connection.isBroken
        mailbox.state.withLock { state in
            state.isInTransaction = connection.isInTransaction
            if !isUsable { state.isDead = true }
        }
        job.finish(result)
        if isUsable {
            for notification in connection.takeNotifications() { mailbox.onNotification?(notification) }
        }
        return isUsable
    }
}
