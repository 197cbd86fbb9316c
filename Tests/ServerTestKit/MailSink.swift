import Foundation

/// A mail server of its own process (`Tests/Conformance/smtp_sink.py` on aiosmtpd), and what it saw.
public final class MailSink: Sendable {
    public struct Options: Sendable {
        /// Insists on STARTTLS, with a certificate made for `localhost`.
        public var isSecure: Bool
        /// `name:password`.
        public var login: String?
        /// A private key: dkimpy checks every mail's signature by its public half.
        public var dkimKey: String?

        public init(isSecure: Bool = false, login: String? = nil, dkimKey: String? = nil) {
            self.isSecure = isSecure
            self.login = login
            self.dkimKey = dkimKey
        }
    }

    /// One command that mattered.
    public struct Line: Decodable, Sendable {
        public var at: Double
        public var event: String
        public var to: String
        public var code: Int
        public var messageID: String?
        public var headers: [String: String]?
        public var tls: Bool?
        public var user: String?
        /// What dkimpy said of the signature, and of the same mail changed.
        public var dkim: [String]?

        enum CodingKeys: String, CodingKey {
            case at, event, to, code, headers, tls, user, dkim
            case messageID = "message_id"
        }
    }

    public let port: Int
    private let folder: URL
    private let child: ChildProcess

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let python = root.appending(path: ".cache/venv/bin/python").path

    /// Whether `scripts/setup.sh --python` has been run.
    public static var isAvailable: Bool {
        let library = Self.root.appending(path: ".cache/venv/lib")
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: library.path)) ?? []
        return versions.contains { version in
            FileManager.default.fileExists(atPath: library.appending(path: "\(version)/site-packages/aiosmtpd").path)
        }
    }

    private init(port: Int, folder: URL, child: ChildProcess) {
        self.port = port
        self.folder = folder
        self.child = child
    }

    /// The certificate it shows, to be trusted.
    public var certificate: String { self.folder.appending(path: "certificate.pem").path }

    /// Starts one on a free port.
    public static func start(_ options: Options = Options()) async throws -> MailSink {
        let folder = URL(filePath: "/tmp/aloft-sink-\(UInt64.random(in: 0..<0xFFFF_FFFF))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let ready = folder.appending(path: "ready.json")
        var arguments = [
            Self.python, Self.root.appending(path: "Tests/Conformance/smtp_sink.py").path, "--journal",
            folder.appending(path: "journal").path, "--ready-file", ready.path,
        ]
        if options.isSecure {
            let (key, certificate) = (folder.appending(path: "key.pem"), folder.appending(path: "certificate.pem"))
            let maker = try ChildProcess.start(
                [
                    "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key.path, "-out",
                    certificate.path,
                ], output: folder.appending(path: "openssl.log"))
            guard await maker.wait() == 0 else { throw ServerFailure("openssl made no certificate") }
            arguments += ["--certificate", certificate.path, "--key", key.path]
        }
        if let login = options.login { arguments += ["--login", login] }
        if let key = options.dkimKey { arguments += ["--dkim-key", key] }
        let child = try ChildProcess.start(arguments, output: folder.appending(path: "sink.log"))
        let end = ContinuousClock.now + .seconds(30)
        while true {
            if let data = try? Data(contentsOf: ready),
                let object = try? JSONDecoder().decode([String: Int].self, from: data), let port = object["port"]
            {
                return MailSink(port: port, folder: folder, child: child)
            }
            guard child.isRunning, ContinuousClock.now < end else {
                let log = (try? String(contentsOf: folder.appending(path: "sink.log"), encoding: .utf8)) ?? ""
                throw ServerFailure("the mail server did not start: \(log)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    public func stop() async {
        await self.child.stop(SIGTERM, seconds: 5)
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// What it saw, in order.
    public func lines(_ event: String? = nil) throws -> [Line] {
        let text = (try? String(contentsOf: self.folder.appending(path: "journal"), encoding: .utf8)) ?? ""
        let all = try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        return event.map { event in all.filter { $0.event == event } } ?? all
    }
}
