import Foundation
import ServerTestKit
import Testing

/// What a carrier reports about its SMS, from the sandbox through the gateway to the workflow.
@Suite(
    "Status callbacks of SMS, end to end", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: MailSink.isAvailable, "aiosmtpd is not there: run scripts/setup.sh --python"))
struct StatusCallbackTests {
    private static let policy = """
        {"receiptSeconds": {"sms": 60}, "retries": {"rows": {"sms": {"baseSeconds": 0.2, "factor": 1, "capSeconds": 1,
            "jitter": 0.1, "retries": {"Transient": 2}, "retriesByCode": {"30003": 1}}}}}
        """

    @Test(
        "Delivered is DELIVERED; undelivered is dead, after one more try where the code allows it; a repeat is nothing new"
    )
    func callbacks() async throws {
        try await NotificationOffice.with(policy: Self.policy, callbacks: true) { office in
            try await office.start([
                office.sms("good", "+4917012345678"), office.sms("landline", "+15005553006"),
                office.sms("off", "+15005553003"),
            ])
            try await office.untilOver(3)
            #expect(
                try await office.texts(
                    "select trim(concat_ws(' ', id, state, reason)) from wf_ntf.notification order by id")
                    == ["good DELIVERED", "landline DEAD 30006", "off DEAD 30003"])
            // The one that may have been switched off was tried once more, under a key of its own.
            let references = try await office.effects("sms.sent")
            #expect(references.count == 4)
            #expect(Set(references).count == 4)
            #expect(
                try await office.texts("select state from wf_ntf.delivery where notification = 'good'") == ["DELIVERED"]
            )
            let receipts = try await office.count("wf_ntf.receipt")
            #expect(receipts == 4)
            let desk = PaymentDesk(stage: office.stage)
            let forged = try await desk.call(
                "POST", "\(office.stage.gatewayURL)/v1/hooks/ntf/sms-a",
                body: "MessageSid=SMa00000000000000000000000000000001&MessageStatus=failed")
            #expect(forged.status == 400, "\(forged.text)")
            #expect(try await office.count("wf_ntf.receipt") == receipts)
        }
    }
}
