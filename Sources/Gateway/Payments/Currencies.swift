/// ISO 4217: the currencies that money can be paid in, and how many digits their minor unit has.
enum Currencies {
    static func exponent(of code: String) -> Int? {
        if withoutMinorUnit.contains(code) { return 0 }
        if withThousandths.contains(code) { return 3 }
        return withHundredths.contains(code) ? 2 : nil
    }

    /// An amount as people write it: 1250 EUR is 12.50, 1250 JPY is 1250.
    static func text(_ amount: Int64, _ code: String) -> String {
        guard let exponent = exponent(of: code), exponent > 0 else { return "\(amount)" }
        var digits = Array("\(amount.magnitude)")
        while digits.count <= exponent { digits.insert("0", at: 0) }
        digits.insert(".", at: digits.count - exponent)
        return (amount < 0 ? "-" : "") + String(digits)
    }

    private static let withoutMinorUnit: Set<String> = [
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
    ]
    private static let withThousandths: Set<String> = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
    private static let withHundredths: Set<String> = Set(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE \
        CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD \
        KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR \
        PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU \
        UZS VES WST XCD YER ZAR ZMW
        """.split(separator: " ").map(String.init))
}
