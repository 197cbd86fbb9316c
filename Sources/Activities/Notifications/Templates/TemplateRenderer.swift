import Foundation
public import Postgres

/// Makes messages of the templates in the tables.
public struct TemplateRenderer: MessageRenderer {
    private let store: TemplateStore

    public init(pool: PostgresPool) { self.store = TemplateStore(pool: pool) }

    public func render(_ request: RenderRequest) async throws -> RenderedMessage {
        let found: (body: TemplateBody, senderName: String, postalAddress: String)?
        do throws(PostgresError) {
            found = try await self.store.find(
                tenant: request.tenant, id: request.template, version: request.version,
                channel: request.channel.rawValue, locale: request.locale)
        } catch {
            throw EffectFailure(error)
        }
        guard let found else {
            throw Self.failure(
                TemplateFault(
                    .notFound, name: request.template,
                    "there is no version \(request.version) for \(request.channel.rawValue)"))
        }
        let frame = SenderFrame(
            senderName: found.senderName, postalAddress: found.postalAddress,
            unsubscribeURL: request.unsubscribeURL ?? "")
        let filled: FilledTemplate
        do throws(TemplateFault) {
            filled = try found.body.fill(
                TemplateVariables(request.variables), channel: request.channel.rawValue,
                isMarketing: request.category == .marketing, frame: frame)
        } catch {
            throw Self.failure(error)
        }
        return RenderedMessage(
            subject: filled.subject ?? "", text: filled.text ?? "", html: filled.html,
            segments: filled.segments ?? 0, fields: filled.fields ?? [:],
            providerTemplate: filled.platformTemplate ?? "")
    }

    private static func failure(_ fault: TemplateFault) -> EffectFailure {
        EffectFailure(.permanent(code: "TemplateError"), fault.description)
    }
}
