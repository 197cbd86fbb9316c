import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Testing

@testable import Worker

/// Certificates of a private authority, made with the openssl program for one test.
private struct Certificates {
    let folder: URL
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8).write(to: folder.appendingPathComponent("san"))
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try openssl(["req", "-x509"] + key + ["-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca"])
        for name in ["server", "client"] {
            try openssl(["req"] + key + ["-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(name)"])
            try openssl([
                "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                "\(name).pem", "-days", "2", "-extfile", "san",
            ])
        }
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments.joined(separator: " "))")
    }
}

@Suite("gRPC over TLS", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
struct TLSTests {
    @Test("A client with a certificate is let in; one without, and one that trusts nobody, are not")
    func mutual() async throws {
        let certificates = try Certificates()
        defer { try? FileManager.default.removeItem(at: certificates.folder) }
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0),
            transportSecurity: .mTLS(
                certificateChain: [.file(path: certificates.path("server.pem"), format: .pem)],
                privateKey: .file(path: certificates.path("server.key"), format: .pem)
            ) { $0.trustRoots = .certificates([.file(path: certificates.path("ca.pem"), format: .pem)]) })
        let good = GRPCTransportOptions.TLS(
            trustRootsFile: certificates.path("ca.pem"), certificateFile: certificates.path("client.pem"),
            privateKeyFile: certificates.path("client.key"))
        var nameless = good
        (nameless.certificateFile, nameless.privateKeyFile) = (nil, nil)
        var distrustful = good
        distrustful.trustRootsFile = nil
        let tries: [(tls: GRPCTransportOptions.TLS, isLetIn: Bool)] = [
            (good, true), (nameless, false), (distrustful, false),
        ]
        try await withGRPCServer(transport: transport, services: []) { server in
            let port = try #require(try await server.listeningAddress?.ipv4).port
            for (tls, isLetIn) in tries {
                let options = GRPCTransportOptions(host: "localhost", port: port, security: .tls(tls))
                try await GRPCTransport.withTransport(options) { client in
                    do {
                        _ = try await client.call(
                            RPCMethod(service: "a.B", name: "C"), request: [], metadata: [],
                            deadline: isLetIn ? .seconds(20) : .seconds(1))
                        Issue.record("expected a failure")
                    } catch let failure as RPCFailure {
                        // Whoever is let in hears that the method does not exist.
                        #expect((failure.code == .unimplemented) == isLetIn, "\(failure)")
                    }
                }
            }
        }
    }
}
