import FoundationEssentials
import History
import SwiftProtobuf
import TemporalAPI

/// `grpc.reflection.v1` and `v1alpha`: tells tools which services there are and what their messages look like. Both have the
/// same messages on the wire.
struct ReflectionService: Sendable {
    typealias Request = Grpc_Reflection_V1alpha_ServerReflectionRequest
    typealias Response = Grpc_Reflection_V1alpha_ServerReflectionResponse

    static let names: Set<String> = [
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
    ]
    static let methodName = "ServerReflectionInfo"
    static let shared = ReflectionService()

    private let files: [String: Google_Protobuf_FileDescriptorProto]
    /// The file that defines a service, a method, a message, a field or an enum, by its full name.
    private let fileOf: [String: String]
    private let services: [String]

    private init() {
        let data = Data(base64Encoded: ProtoDescriptors.base64) ?? Data()
        let set = (try? Google_Protobuf_FileDescriptorSet(serializedBytes: data)) ?? .init()
        files = Dictionary(set.file.map { ($0.name, $0) }) { first, _ in first }
        var symbols: [String: String] = [:]
        var services: [String] = []
        for file in set.file {
            let prefix = file.package.isEmpty ? "" : file.package + "."
            for service in file.service {
                services.append(prefix + service.name)
                symbols[prefix + service.name] = file.name
                for method in service.method { symbols["\(prefix)\(service.name).\(method.name)"] = file.name }
            }
            for message in file.messageType { Self.add(message, prefix, file.name, &symbols) }
            for type in file.enumType { symbols[prefix + type.name] = file.name }
        }
        fileOf = symbols
        self.services = services.sorted()
    }

    private static func add(
        _ message: Google_Protobuf_DescriptorProto, _ prefix: String, _ file: String, _ symbols: inout [String: String]
    ) {
        let name = prefix + message.name
        symbols[name] = file
        for field in message.field { symbols["\(name).\(field.name)"] = file }
        for type in message.enumType { symbols["\(name).\(type.name)"] = file }
        for inner in message.nestedType { add(inner, name + ".", file, &symbols) }
    }

    /// Answers one message of the stream.
    func answer(_ call: WireCall) -> Result<[UInt8], WireFailure> {
        guard let request = try? Request(serializedBytes: call.request) else {
            return .failure(WireFailure(Rejection.invalid("the request is not a valid ServerReflectionRequest")))
        }
        var response = Response.with {
            $0.validHost = request.host
            $0.originalRequest = request
        }
        switch request.messageRequest {
        case .listServices:
            response.listServicesResponse = .with {
                $0.service = services.map { name in .with { $0.name = name } }
            }
        case .fileByFilename(let name): response.messageResponse = described(files[name], "File not found: \(name)")
        case .fileContainingSymbol(let symbol):
            response.messageResponse = described(fileOf[symbol].flatMap { files[$0] }, "Symbol not found: \(symbol)")
        case .fileContainingExtension(let wanted):
            response.messageResponse = described(nil, "Extension not found: \(wanted.containingType)")
        case .allExtensionNumbersOfType(let type):
            response.allExtensionNumbersResponse = .with { $0.baseTypeName = type }
        case nil:
            response.errorResponse = .with {
                $0.errorCode = Int32(WireFailure.Code.invalidArgument.rawValue)
                $0.errorMessage = "the request asks for nothing"
            }
        }
        let bytes: [UInt8]? = try? response.serializedBytes()
        return .success(bytes ?? [])
    }

    /// A file with everything it imports.
    private func described(
        _ file: Google_Protobuf_FileDescriptorProto?, _ missing: String
    ) -> Response.OneOf_MessageResponse {
        guard let file else {
            return .errorResponse(
                .with {
                    $0.errorCode = Int32(WireFailure.Code.notFound.rawValue)
                    $0.errorMessage = missing
                })
        }
        var names = [file.name]
        var next = 0
        while next < names.count {
            for name in files[names[next]]?.dependency ?? [] where !names.contains(name) { names.append(name) }
            next += 1
        }
        let encoded = names.compactMap { name in try? files[name]?.serializedData() }
        return .fileDescriptorResponse(.with { $0.fileDescriptorProto = encoded })
    }
}
