import Hummingbird
import NIOCore

/// A batch as NDJSON: read line by line as it comes, so that its length does not matter.
extension HTTPService {
    /// One line holds one notification: its variables and a little more.
    static let lineBytesMax = 128 << 10

    func isUpload(_ question: HTTPQuestion) -> Bool {
        let type = question.header("content-type")?.split(separator: ";").first.map(String.init) ?? ""
        return question.method == "POST" && question.path == "/v1/notifications:bulk"
            && ["application/x-ndjson", "application/ndjson"].contains(type.lowercased())
    }

    /// The tenant is a query parameter: every line must name the same one.
    func upload<Body: AsyncSequence>(_ question: HTTPQuestion, _ body: Body) async -> HTTPAnswer
    where Body.Element == ByteBuffer {
        var answer: HTTPAnswer
        do {
            let key = question.header("idempotency-key") == nil ? nil : try IdempotencyKey.read(question)
            let batch = try await BatchIntake(service: self, tenant: tenant(question), key: key, total: 0)
            var cutter = LineCutter(lineBytesMax: Self.lineBytesMax)
            for try await part in body {
                for line in cutter.add(part.readableBytesView) { try await batch.add(line: line) }
            }
            for line in cutter.end() { try await batch.add(line: line) }
            answer = try await batch.finish()
        } catch {
            answer = Problem(any: error).answer(requestID: question.requestID)
        }
        answer.headers.append(.init("X-Request-Id", question.requestID))
        return answer
    }
}
