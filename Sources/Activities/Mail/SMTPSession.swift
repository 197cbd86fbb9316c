import CCurl
import Foundation

/// One libcurl handle with its connection, used by one thread only. Calls block.
final class SMTPSession {
    struct Letter: Sendable {
        var from: String
        var to: String
        var bytes: [UInt8]
        var seconds: Double
    }

    /// What goes out and what comes back during one transfer.
    private final class Transfer {
        let bytes: [UInt8]
        var sent = 0
        /// Everything was handed over; what follows is the final dot and its reply.
        var isWhole = false
        var lines: [UInt8] = []
        var linesAtEnd = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    private static let library: Void = aloft_curl_begin()
    private static let connectSecondsMax = 10.0
    private static let replyBytesMax = 64 << 10

    private let handle: UnsafeMutableRawPointer
    private let settings: NotificationSettings.Mail

    init?(_ settings: NotificationSettings.Mail) {
        _ = Self.library
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.settings = settings
        let scheme = settings.security == .tls ? "smtps" : "smtp"
        aloft_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        aloft_curl_set_text(
            handle, CURLOPT_URL, "\(scheme)://\(settings.host):\(settings.port)/\(settings.greeting)")
        aloft_curl_set_long(handle, CURLOPT_UPLOAD, 1)
        aloft_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(Self.connectSecondsMax * 1000))
        aloft_curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        switch settings.security {
        case .none: aloft_curl_set_long(handle, CURLOPT_USE_SSL, Int(CURLUSESSL_NONE.rawValue))
        case .startTLS, .tls: aloft_curl_set_long(handle, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
        }
        if let trust = settings.trustFile { aloft_curl_set_text(handle, CURLOPT_CAINFO, trust) }
        if let user = settings.user {
            aloft_curl_set_text(handle, CURLOPT_USERNAME, user)
            aloft_curl_set_text(handle, CURLOPT_PASSWORD, settings.password ?? "")
        }
        aloft_curl_set_callback(handle, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let length = min(size * count, transfer.bytes.count - transfer.sent)
            guard length > 0 else {
                transfer.isWhole = true
                transfer.linesAtEnd = transfer.lines.count
                return 0
            }
            transfer.bytes.withUnsafeBytes { source in
                if let base = source.baseAddress { memcpy(bytes, base + transfer.sent, length) }
            }
            transfer.sent += length
            return length
        }
        aloft_curl_set_callback(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let length = size * count
            if transfer.lines.count < SMTPSession.replyBytesMax {
                transfer.lines += UnsafeRawBufferPointer(start: bytes, count: length)
            }
            return length
        }
    }

    deinit { curl_easy_cleanup(self.handle) }

    /// Sends one letter and waits for the server's word.
    ///
    /// - Throws: The class of whatever was answered, or of the silence: after the final dot nobody knows.
    func send(_ letter: Letter) throws(EffectFailure) {
        let transfer = Transfer(letter.bytes)
        let recipients = curl_slist_append(nil, "<\(letter.to)>")
        defer { curl_slist_free_all(recipients) }
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        aloft_curl_set_text(self.handle, CURLOPT_MAIL_FROM, "<\(letter.from)>")
        aloft_curl_set_list(self.handle, CURLOPT_MAIL_RCPT, recipients)
        aloft_curl_set_long(self.handle, CURLOPT_TIMEOUT_MS, max(1, Int(letter.seconds * 1000)))
        aloft_curl_set_pointer(self.handle, CURLOPT_READDATA, context)
        aloft_curl_set_pointer(self.handle, CURLOPT_HEADERDATA, context)
        let result = withExtendedLifetime(transfer) { curl_easy_perform(self.handle) }
        aloft_curl_set_list(self.handle, CURLOPT_MAIL_RCPT, nil)
        guard result != CURLE_OK else { return }
        let heard = transfer.isWhole ? Array(transfer.lines[transfer.linesAtEnd...]) : transfer.lines
        let reason = String(cString: curl_easy_strerror(result))
        if let code = Self.refusal(heard) { throw SMTPReply(lines: heard, code: code).failure }
        if transfer.isWhole {
            throw EffectFailure(.ambiguous, "lost after the final dot: \(reason)", code: "no_answer")
        }
        if result == CURLE_LOGIN_DENIED || result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_USE_SSL_FAILED {
            throw EffectFailure(.permanent(code: "provider_auth"), reason)
        }
        throw EffectFailure(.transient, "not sent: \(reason)", code: "no_connection")
    }

    /// The code of the last line that refused something; a farewell may follow it.
    static func refusal(_ lines: [UInt8]) -> Int? {
        let all = String(decoding: lines, as: UTF8.self).split(whereSeparator: \.isNewline)
        return all.compactMap { Int($0.prefix(3)) }.last { $0 >= 400 }
    }
}
