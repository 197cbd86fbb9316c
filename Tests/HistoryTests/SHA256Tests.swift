import History
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "It gives the published digests",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
            ),
        ])
    func publishedDigests(text: String, expected: String) {
        #expect(SHA256.hash(Array(text.utf8)).description == expected)
    }

    @Test("A million times the letter a")
    func aMillionLetters() {
        var hasher = SHA256()
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<1000 { hasher.update(piece) }
        #expect(hasher.finish().description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("It does not matter how the bytes are cut")
    func cuts() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let whole = SHA256.hash(bytes)
        for cut in [0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 299, 300] {
            var hasher = SHA256()
            hasher.update(Array(bytes[..<cut]))
            hasher.update(Array(bytes[cut...]))
            #expect(hasher.finish() == whole, "cut at \(cut)")
        }
    }

    @Test("A digest has 32 bytes")
    func digestLength() {
        #expect(SHA256.Digest(bytes: [1, 2, 3]) == nil)
        let digest = SHA256.hash([1])
        #expect(SHA256.Digest(bytes: digest.bytes) == digest)
    }
}

@Suite("The hash chain")
struct HashChainTests {
    private let key = RunKey(namespace: "n", workflow: "w", run: "r")

    @Test("A changed, a removed and a moved event each break it")
    func changesShow() {
        func chain(_ events: [[UInt8]]) -> SHA256.Digest {
            events.reduce(HashChain.seed(for: key)) { HashChain.next(after: $0, $1) }
        }
        let honest = chain([[1], [2], [3]])
        #expect(chain([[1], [2], [3]]) == honest)
        #expect(chain([[1], [9], [3]]) != honest)
        #expect(chain([[1], [3]]) != honest)
        #expect(chain([[2], [1], [3]]) != honest)
    }

    @Test("Keys that read alike when joined begin different chains")
    func seedsDiffer() {
        let other = RunKey(namespace: "nw", workflow: "", run: "r")
        #expect(HashChain.seed(for: key) != HashChain.seed(for: other))
    }
}

@Suite("Maps of payloads")
struct PayloadMapTests {
    /// A length-delimited field.
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
    private func entry(_ name: String, _ data: String?, encoding: String = "json/plain") -> [UInt8] {
        var payload = field(1, field(1, Array("encoding".utf8)) + field(2, Array(encoding.utf8)))
        if let data { payload += field(2, Array(data.utf8)) }
        return field(1, field(1, Array(name.utf8)) + field(2, payload))
    }

    @Test("Later entries replace earlier ones, null removes")
    func merging() {
        let first = Blob(entry("a", "1") + entry("b", "2"))
        let second = Blob(entry("b", "3") + entry("c", "4") + entry("a", nil, encoding: "binary/null"))
        #expect(PayloadMap.merged([first, second]) == Blob(entry("b", "3") + entry("c", "4")))
        #expect(PayloadMap.merged([Blob(entry("a", nil))]) == nil)
        #expect(PayloadMap.merged([]) == nil)
    }

    @Test("Bytes that are not protobuf are no crash")
    func rubbish() {
        #expect(PayloadMap.merged([Blob([0xFF, 0xFF]), Blob([0x0A, 0x7F, 0x00])]) == nil)
    }
}

@Suite("Time")
struct TimeTests {
    @Test("Sums saturate instead of overflowing")
    func saturation() {
        #expect(Timestamp.distantFuture.advanced(by: .seconds(1)) == .distantFuture)
        #expect(Timestamp(nanoseconds: .min).advanced(by: TimeSpan(nanoseconds: -1)) == .zero)
        #expect(Timestamp(nanoseconds: 5).since(Timestamp(nanoseconds: 2)) == TimeSpan(nanoseconds: 3))
    }
}
