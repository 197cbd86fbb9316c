import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Gateway
import Logging
import SwiftProtobuf
import Testing

/// Certificates for localhost, good for a hundred years and for nothing else.
enum TestCertificates {
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBlTCCATugAwIBAgIUU8NglF95V9LXph6N1t1OtwjDccswCgYIKoZIzj0EAwIw
        HzEdMBsGA1UEAwwUYWxvZnQgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIxMTMxNDI5
        WhgPMjEyNjEwMjgxMzE0MjlaMB8xHTAbBgNVBAMMFGFsb2Z0IHRlc3QgYXV0aG9y
        aXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAQ1mbh1NXbdItdXku0OTtEyV
        EtdWXIMh89nELNVVuA90UBBKtIeToaVcpg6vuXTQh6DH0vD9h74r5hpsHQXxcqNT
        MFEwHQYDVR0OBBYEFCEjDFDYwDqhw8lagYzEVOG4MAV7MB8GA1UdIwQYMBaAFCEj
        DFDYwDqhw8lagYzEVOG4MAV7MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID
        SAAwRQIhAKnaoqNshulY8Xact+cGsSvMUyAdpJqbIWk2b/bPENTFAiBJMWuwx7ju
        I6Kt1COjoL1yXRvgMm1e9A5IE55b7Es74Q==
        -----END CERTIFICATE-----
        """
    static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBlDCCATugAwIBAgIUa53E0pK43+pMUP9R+60UMGvSjAgwCgYIKoZIzj0EAwIw
        HzEdMBsGA1UEAwwUYWxvZnQgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIxMTMxNDMw
        WhgPMjEyNjEwMjgxMzE0MzBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqG
        SM49AgEGCCqGSM49AwEHA0IABBaizUMYauhaCDWQF6UfR6OZL1T3G3EDr3HPU3Y/
        q700MiC2tHqIcXsS8sEvD61HihHcHZr/4Kr/o3XGAMlGkgWjXjBcMBoGA1UdEQQT
        MBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUj7UBmvfByQbOjTDhTsiC+due
        X9gwHwYDVR0jBBgwFoAUISMMUNjAOqHDyVqBjMRU4bgwBXswCgYIKoZIzj0EAwID
        RwAwRAIgXSjpoak2YZNswVXwGo5zaZstzHPo/1o4EjyogFuK6XACICMOupzgtdXx
        eTOyq+MGjvVGooDvkxpqISlkq1MKCsF8
        -----END CERTIFICATE-----
        """
    static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSIhVHs6uVmQEZyXB
        YDM/+tC048bA5+VetKhNgElQ45+hRANCAAQWos1DGGroWgg1kBelH0ejmS9U9xtx
        A69xz1N2P6u9NDIgtrR6iHF7EvLBLw+tR4oR3B2a/+Cq/6N1xgDJRpIF
        -----END PRIVATE KEY-----
        """
    static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBlTCCATugAwIBAgIUa53E0pK43+pMUP9R+60UMGvSjAkwCgYIKoZIzj0EAwIw
        HzEdMBsGA1UEAwwUYWxvZnQgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIxMTMxNDMw
        WhgPMjEyNjEwMjgxMzE0MzBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqG
        SM49AgEGCCqGSM49AwEHA0IABM50PSH/Yj//2ytMcvsRE/34Uo71xbpQEqZbaycD
        TAkILyChULzftWLU48omrAUbPlKiL25X8XU5+s6FQN6NA7GjXjBcMBoGA1UdEQQT
        MBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQU5IracxANLujsdHIgEqssRnL2
        97YwHwYDVR0jBBgwFoAUISMMUNjAOqHDyVqBjMRU4bgwBXswCgYIKoZIzj0EAwID
        SAAwRQIgQ3+hGpjQD/MvlD6FBGY0a1lO5VCicMA/9oyJTfYM4uUCIQD//Ma/k1m6
        3nVfJ/zBc3yx9m4w8Lj5nilQAB3FN9lrWw==
        -----END CERTIFICATE-----
        """
    static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3XpNrN4Asl28b7zZ
        TbLH5Ut0rGT98msIQFARDxU0LUKhRANCAATOdD0h/2I//9srTHL7ERP9+FKO9cW6
        UBKmW2snA0wJCC8goVC837Vi1OPKJqwFGz5Soi9uV/F1OfrOhUDejQOx
        -----END PRIVATE KEY-----
        """

    /// Writes them into a fresh folder.
    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "aloft-certificates-\(UUIDs.random())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = [
            ("authority.pem", authority), ("server.pem", server), ("server.key", serverKey), ("client.pem", client),
            ("client.key", clientKey),
        ]
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        return folder
    }
}

@Suite("gRPC over TLS", .serialized)
struct GRPCSecurityTests {
    private func call(showsCertificate: Bool) async throws -> [UInt8] {
        let folder = try TestCertificates.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appending(path: name).path }
        let tls = GRPCServerOptions.TLS(
            certificateFile: path("server.pem"), privateKeyFile: path("server.key"),
            clientAuthoritiesFile: path("authority.pem"))
        let server = try GRPCServer(
            service: WireService(backend: ScriptedBackend()), options: GRPCServerOptions(port: 0, tls: tls),
            logger: Logger(label: "test"))
        let (authority, certificate, key) = (path("authority.pem"), path("client.pem"), path("client.key"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let client = GRPCClient(
                transport: try HTTP2ClientTransport.Posix(
                    target: .ipv4(address: "127.0.0.1", port: try await server.port),
                    transportSecurity: .tls { config in
                        config.trustRoots = .certificates([.file(path: authority, format: .pem)])
                        if showsCertificate {
                            config.certificateChain = [.file(path: certificate, format: .pem)]
                            config.privateKey = .file(path: key, format: .pem)
                        }
                    }, config: .defaults { $0.http2.authority = "localhost" }))
            group.addTask { try await client.runConnections() }
            defer {
                client.beginGracefulShutdown()
                server.shutDown()
            }
            return try await GRPCServerTests.Client(client: client).call(
                "GetSystemInfo", Google_Protobuf_Empty(), timeout: .seconds(showsCertificate ? 60 : 2))
        }
    }

    @Test("A client with a certificate of our authority is served")
    func withCertificate() async throws {
        #expect(try await !call(showsCertificate: true).isEmpty)
    }

    @Test("A client without a certificate is not")
    func withoutCertificate() async throws {
        await #expect(throws: RPCError.self) { try await self.call(showsCertificate: false) }
    }
}
