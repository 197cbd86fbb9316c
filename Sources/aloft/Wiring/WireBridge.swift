import Gateway
import History
import Worker

/// Attaches the worker library to a server in the same process: the same requests and answers, no network.
enum WireBridge {
    static func transport(to service: WireService) -> InProcessTransport {
        InProcessTransport { method, request, metadata, deadline in
            let now = SystemTime.now()
            let span = TimeSpan(
                nanoseconds: deadline.components.seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue
                    &+ deadline.components.attoseconds / 1_000_000_000)
            let call = WireCall(
                method: WireMethod(service: method.service, name: method.name), request: request,
                metadata: metadata.map { (name: $0.key, value: $0.value) }, deadline: now.advanced(by: span))
            switch await service.handle(call) {
            case .success(let response): return response
            case .failure(let failure):
                throw RPCFailure(
                    RPCFailure.Code(rawValue: failure.code.rawValue) ?? .unknown, failure.message,
                    statusDetails: failure.statusDetails)
            }
        }
    }
}
