import Foundation
import ServerTestKit
import Synchronization

/// The whole system as separate processes of the real program: Postgres, NATS, sandbox, server, worker. Any of them can be killed.
///
/// Scenarios talk to it over HTTP, gRPC and SQL only.
final class Stage: Sendable {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let aloft = ProcessInfo.processInfo.environment["ALOFT"] ?? root.appending(path: ".build/debug/aloft").path
    static let webhookSecret = "whsec_stage"

    let folder: URL
    private struct State {
        var children: [String: ChildProcess] = [:]
        var grpcPort = 0
        var httpPort = 0
        var sandboxPort = 0
        var databaseURL = ""
        var natsURL = ""
        var readyCount = 0
    }
    private let state = Mutex(State())

    /// What every part finds in its environment.
    private let environment: [String: String]

    private init(environment: [String: String]) {
        self.environment = environment
        folder = URL(filePath: "/tmp/aloft-stage-\(UInt64.random(in: 0..<0xFFFF_FFFF))")
    }

    var gatewayURL: String { "http://127.0.0.1:\(state.withLock { $0.httpPort })" }
    var grpcAddress: String { "127.0.0.1:\(state.withLock { $0.grpcPort })" }
    var sandboxURL: String { "http://127.0.0.1:\(state.withLock { $0.sandboxPort })" }
    var databaseURL: String { state.withLock { $0.databaseURL } }
    /// A tenant's database in the same private Postgres.
    func tenantURL(_ database: String) -> String {
        let url = databaseURL
        return String(url[...(url.lastIndex(of: "/") ?? url.startIndex)]) + database
    }
    var natsURL: String { state.withLock { $0.natsURL } }

    /// Everything up, for the time of `body`; then everything down, and the files gone unless it failed.
    static func with(
        worker: Bool = true, environment: [String: String] = [:], _ body: (Stage) async throws -> Void
    ) async throws {
        let stage = Stage(environment: environment)
        do {
            try FileManager.default.createDirectory(at: stage.folder, withIntermediateDirectories: true)
            try await stage.startInfrastructure()
            try await stage.startServer()
            try await stage.startSandbox()
            if worker { try await stage.startWorker() }
            try await body(stage)
        } catch {
            let log = stage.logTail()
            await stage.stop()
            throw ServerFailure("\(error)\nfiles in \(stage.folder.path)\n\(log)")
        }
        await stage.stop()
        try? FileManager.default.removeItem(at: stage.folder)
    }

    // MARK: Parts

    private func startInfrastructure() async throws {
        let ready = try await launch(
            "infrastructure",
            ["server", "infrastructure", "--data", folder.appending(path: "data").path, "--nats-port", "0"])
        state.withLock { state in
            state.databaseURL = ready["databaseURL"] as? String ?? ""
            state.natsURL = ready["natsURL"] as? String ?? ""
        }
    }

    func startServer() async throws {
        let (grpc, http) = state.withLock { ($0.grpcPort, $0.httpPort) }
        let ready = try await launch(
            "server",
            [
                "server", "start", "--database-url", databaseURL, "--nats-url", natsURL, "--grpc-port", "\(grpc)",
                "--http-port", "\(http)",
                "--node", "stage", "--webhook-secret", "sandbox=\(Self.webhookSecret)",
                // The tokens by which the sandbox's carriers sign.
                "--webhook-secret", "ntf-sms-a=sk_sms_a", "--webhook-secret", "ntf-sms-b=sk_sms_b",
            ])
        state.withLock { state in
            state.grpcPort = ready["grpcPort"] as? Int ?? 0
            state.httpPort = ready["httpPort"] as? Int ?? 0
        }
    }

    func startSandbox() async throws {
        let port = state.withLock { $0.sandboxPort }
        let ready = try await launch(
            "sandbox",
            [
                "sandbox", "start", "--port", "\(port)", "--journal", folder.appending(path: "sandbox.journal").path,
                "--webhook-url",
                "\(gatewayURL)/v1/hooks/psp/sandbox", "--webhook-secret", Self.webhookSecret,
            ])
        state.withLock { $0.sandboxPort = ready["port"] as? Int ?? 0 }
    }

    /// - Parameter failpoint: families.md R11, for example `Capture.after_effect:kill9@2`.
    /// - Parameter policy: the payment family's waits, as JSON; shorter ones make waiting bearable.
    /// - Parameter notificationPolicy: the same for notifications.
    /// - Parameter callbacks: carriers report to the gateway what became of their messages.
    func startWorker(
        failpoint: String? = nil, policy: String? = nil, notificationPolicy: String? = nil, smtpURL: String? = nil,
        callbacks: Bool = false
    ) async throws {
        var environment: [String: String] = [:]
        environment["FAILPOINT"] = failpoint
        environment["ALOFT_PAY_POLICY"] = policy
        environment["ALOFT_NTF_POLICY"] = notificationPolicy
        environment["ALOFT_PUBLIC_URL"] = gatewayURL
        environment["ALOFT_TENANT_CLUSTERS"] = #"{"main": "\#(tenantURL("{database}"))"}"#
        environment["ALOFT_BACKUP_FOLDER"] = folder.appending(path: "backups").path
        _ = try await launch(
            "worker",
            [
                "worker", "start", "--address", grpcAddress, "--database-url", databaseURL, "--provider-url",
                sandboxURL, "--shipping-url",
                sandboxURL, "--messages-url", sandboxURL, "--smtp-url", smtpURL ?? "smtp://127.0.0.1:2525",
            ] + (callbacks ? ["--public-url", gatewayURL] : []), environment: environment)
    }

    func isRunning(_ part: String) -> Bool { state.withLock { $0.children[part]?.isRunning ?? false } }

    /// kill -9.
    func kill(_ part: String) async {
        guard let child = state.withLock({ $0.children[part] }) else { return }
        child.signal(SIGKILL)
        await child.wait()
    }

    /// Waits until a part ended by itself (a failpoint).
    func waitForEnd(of part: String) async {
        guard let child = state.withLock({ $0.children[part] }) else { return }
        await child.wait()
    }

    private func launch(_ name: String, _ arguments: [String], environment: [String: String] = [:]) async throws
        -> [String: Any]
    {
        let count = state.withLock { state in
            state.readyCount += 1
            return state.readyCount
        }
        let readyFile = folder.appending(path: "ready-\(count).json")
        let child = try ChildProcess.start(
            [Self.aloft] + arguments + ["--ready-file", readyFile.path],
            environment: self.environment.merging(environment) { _, own in own },
            output: folder.appending(path: "\(name).log"))
        state.withLock { $0.children[name] = child }
        let end = ContinuousClock.now + .seconds(60)
        while true {
            if let data = try? Data(contentsOf: readyFile),
                let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
            {
                return object
            }
            guard child.isRunning else { throw ServerFailure("\(name) ended before it was ready") }
            guard ContinuousClock.now < end else { throw ServerFailure("\(name) was not ready in 60 s") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func stop() async {
        for name in ["worker", "sandbox", "server", "infrastructure"] {
            guard let child = state.withLock({ $0.children[name] }) else { continue }
            await child.stop(SIGTERM, seconds: 20)
        }
    }

    private func logTail() -> String {
        ["server", "worker", "sandbox"].map { name in
            let text = (try? String(contentsOf: folder.appending(path: "\(name).log"), encoding: .utf8)) ?? ""
            return "--- \(name)\n" + text.split(separator: "\n").suffix(15).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// Runs a command of the program and returns its output.
    @discardableResult
    func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let file = folder.appending(path: "out-\(UInt64.random(in: 0..<0xFFFF_FFFF)).txt")
        let child = try ChildProcess.start([Self.aloft] + arguments, output: file)
        let status = await child.wait()
        return (status, (try? String(contentsOf: file, encoding: .utf8)) ?? "")
    }
}
