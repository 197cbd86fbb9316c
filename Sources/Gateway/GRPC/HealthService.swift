import History
import SwiftProtobuf
import TemporalAPI

/// `grpc.health.v1.Health`: the known services serve, others do not exist.
enum HealthService {
    static func answer(_ call: WireCall) -> Result<[UInt8], WireFailure> {
        guard call.method.name == "Check" else {
            return .failure(
                WireFailure(
                    .unimplemented, "unknown method \(call.method.name) for service \(WireMethod.healthService)"))
        }
        guard let request = try? Grpc_Health_V1_HealthCheckRequest(serializedBytes: call.request) else {
            return .failure(WireFailure(Rejection.invalid("the request is not a valid HealthCheckRequest")))
        }
        let known = ["", WireMethod.workflowService, WireMethod.operatorService, WireMethod.healthService]
        guard known.contains(request.service) else {
            return .failure(WireFailure(.notFound, "unknown service"))
        }
        let response = Grpc_Health_V1_HealthCheckResponse.with { $0.status = .serving }
        let bytes: [UInt8]? = try? response.serializedBytes()
        return .success(bytes ?? [])
    }
}
