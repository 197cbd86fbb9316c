import Foundation
import ServerTestKit
import Testing

@testable import Activities

/// Signatures are checked by dkimpy, in the mail server that the mail has reached.
@Suite(
    "DKIM", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: MailSink.isAvailable, "aiosmtpd and dkimpy are not there: run scripts/setup.sh --python"))
struct DKIMTests {
    private static let kinds = [["-algorithm", "ed25519"], ["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"]]

    private static func key(_ kind: [String]) async throws -> URL {
        let file = URL(filePath: "/tmp/aloft-dkim-\(UInt64.random(in: 0..<0xFFFF_FFFF)).pem")
        let child = try ChildProcess.start(
            ["/usr/bin/openssl", "genpkey"] + kind + ["-out", file.path], output: URL(filePath: "/dev/null"))
        guard await child.wait() == 0 else { throw ServerFailure("openssl made no key") }
        return file
    }

    private static func gate() -> PeerGate { PeerGate(name: "smtp", wait: .seconds(5)) }
    private static var scope: EffectScope {
        EffectScope(workflowID: "ntf:shop:n1", namespace: "default", timeRemaining: nil)
    }

    @Test(
        "A signed mail verifies where it arrives, with both unsubscribe headers under the signature", arguments: kinds)
    func verifies(_ kind: [String]) async throws {
        let key = try await Self.key(kind)
        defer { try? FileManager.default.removeItem(at: key) }
        let sink = try await MailSink.start(.init(dkimKey: key.path))
        let result = await Result {
            var settings = NotificationSettings.Mail(port: sink.port)
            settings.fromAddress = "news@shop.example"
            settings.fromName = "Wörld of Shops"
            settings.dkim = try DKIMSigner(
                domain: "shop.example", selector: "s1", pem: String(contentsOf: key, encoding: .utf8))
            let provider = MailProvider(settings: settings, gate: Self.gate())
            defer { provider.close() }
            let plain = RenderedMessage(subject: "Hello", text: ".a dot\n  two  spaces \n\nend\n\n\n")
            let rich = RenderedMessage(
                subject: "Größe  und  Weite: " + String(repeating: "ä", count: 80), text: "text", html: "<p>html</p>")
            for (number, message) in [plain, rich].enumerated() {
                _ = try await provider.send(
                    message, to: "ok\(number)@example.com", name: "n\(number)",
                    unsubscribeURL: "https://shop.example/u/\(String(repeating: "t", count: 120))",
                    mailbox: "leave@shop.example", tenant: "shop", scope: Self.scope)
            }
            return try sink.lines("message")
        }
        await sink.stop()
        let mails = try result.get()
        #expect(mails.count == 2)
        for mail in mails {
            #expect(mail.dkim == ["valid", "changed refused"])
            let signature = (mail.headers?["DKIM-Signature"] ?? "").filter { !$0.isWhitespace }
            #expect(signature.contains("d=shop.example;s=s1;"))
            #expect(signature.contains("a=\(kind[1] == "rsa" ? "rsa" : "ed25519")-sha256;"))
            #expect(signature.contains(":list-unsubscribe:"))
            #expect(signature.contains("list-unsubscribe-post"))
        }
    }

    @Test("Without a key mail goes unsigned; a key's text is in no description; what is no key is refused")
    func keys() async throws {
        let file = try await Self.key(Self.kinds[0])
        defer { try? FileManager.default.removeItem(at: file) }
        let pem = try String(contentsOf: file, encoding: .utf8)
        let signer = try DKIMSigner(domain: "Shop.example", selector: "s1", pem: pem)
        let secret = pem.split(separator: "\n")[1]
        var settings = NotificationSettings.Mail()
        settings.dkim = signer
        var dumped = ""
        dump(settings, to: &dumped)
        #expect("\(signer)" == "s1._domainkey.shop.example")
        for text in ["\(signer)", "\(settings)", String(reflecting: settings), dumped] {
            #expect(!text.contains(secret.suffix(20)))
            #expect(!text.contains("ed25519("))
        }
        for (domain, selector, text) in [
            ("localhost", "s1", pem), ("a b.example", "s1", pem), ("shop.example", "s 1", pem),
            ("shop.example", "", pem),
            ("shop.example", "s1", ""), ("shop.example", "s1", "c2hvcnQ="), ("shop.example", "s1", "no key at all"),
        ] {
            #expect(throws: DKIMSigner.Unusable.self) {
                try DKIMSigner(domain: domain, selector: selector, pem: text)
            }
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
