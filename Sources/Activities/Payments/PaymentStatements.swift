import Postgres

/// Every SQL statement of the payment family.
enum PaymentStatements {
    static let all = [
        insertPayment, paymentByKey, lockPayment, readPayment, savePayment, claimOp, beginOp, returnAttempt, readOp,
        endOp,
        authorizationOps, publish, account, makeAccount, insertTransfer, hold, transfersOfPayment, lockItem,
        expireHolds,
        takeStock, insertStockHold, releaseHolds, returnStock, commitHolds, looseHolds, insertShipment, cancelShipment,
        shipment, insertRefund, refundsSum, refund, endRefund, refundByProviderRef, insertProviderEvent,
        paymentOfRef, failedPayments,
    ]

    // MARK: Payments

    static let insertPayment = Statement(
        "pay_insert_payment",
        """
        insert into wf_pay.payment (id, merchant, idempotency_key, order_id, amount, currency, provider)
        values ($1::uuid, $2::text, $3::text, $4::text, $5::int8, $6::text, $7::text)
        on conflict do nothing returning version
        """)

    static let paymentByKey = Statement(
        "pay_payment_by_key",
        "select id::text from wf_pay.payment where merchant = $1::text and idempotency_key = $2::text")

    private static let paymentColumns = """
        id::text, merchant, order_id, amount, currency, status, substate, version, provider, provider_ref, authorized, captured,
        refunded, fee, failure_code, failure_message
        """

    static let lockPayment = Statement(
        "pay_lock_payment", "select \(paymentColumns) from wf_pay.payment where id = $1::uuid for update")

    static let readPayment = Statement(
        "pay_read_payment", "select \(paymentColumns) from wf_pay.payment where id = $1::uuid")

    static let savePayment = Statement(
        "pay_save_payment",
        """
        update wf_pay.payment set status = $3::text, substate = $4::text, provider_ref = $5::text, authorized = $6::int8,
            captured = $7::int8, refunded = $8::int8, fee = $9::int8, failure_code = $10::text, failure_message = $11::text,
            version = version + 1, updated_at = now()
        where id = $1::uuid and version = $2::int8
        """)

    static let failedPayments = Statement(
        "pay_failed_payments",
        """
        select count(*) from wf_pay.payment
        where merchant = $1::text and status = 'FAILED' and updated_at > now() - interval '1 hour'
        """)

    // MARK: Operations

    static let claimOp = Statement(
        "pay_claim_op",
        """
        insert into wf_pay.op (op_id, payment_id, step) values ($1::text, $2::uuid, $3::text)
        on conflict do nothing returning attempts
        """)

    /// Begins another attempt at an outside effect; one that has its result is not begun again.
    static let beginOp = Statement(
        "pay_begin_op",
        """
        insert into wf_pay.op as o (op_id, payment_id, step) values ($1::text, $2::uuid, $3::text)
        on conflict (op_id) do update set
            attempts = o.attempts + case when o.result is null then 1 else 0 end,
            last_attempt_at = case when o.result is null then clock_timestamp() else o.last_attempt_at end
        returning attempts, result::text
        """)

    static let returnAttempt = Statement(
        "pay_return_attempt",
        "update wf_pay.op set attempts = attempts - 1 where op_id = $1::text and result is null and attempts > 0")

    static let readOp = Statement(
        "pay_read_op",
        """
        select attempts, result::text, extract(epoch from clock_timestamp() - last_attempt_at)::float8
        from wf_pay.op where op_id = $1::text
        """)

    static let endOp = Statement(
        "pay_end_op",
        """
        update wf_pay.op set result = $2::text::jsonb, ended_at = clock_timestamp()
        where op_id = $1::text and result is null
        """)

    static let authorizationOps = Statement(
        "pay_authorization_ops",
        "select result::text from wf_pay.op where payment_id = $1::uuid and step = 'Authorize' order by started_at")

    static let publish = Statement(
        "pay_publish",
        """
        select outbox.publish($1::text, 'payments', $2::text, $3::text, $4::text::jsonb, $5::text, $6::text, $7::text)::text
        """)

    // MARK: Ledger

    static let account = Statement(
        "pay_account", "select id from wf_pay.account where code = $1::text and currency = $2::text")

    static let makeAccount = Statement(
        "pay_make_account",
        """
        insert into wf_pay.account (code, type, currency) values ($1::text, $2::text, $3::text)
        on conflict (code, currency) do update set type = excluded.type returning id
        """)

    static let insertTransfer = Statement(
        "pay_insert_transfer",
        """
        insert into wf_pay.transfer (op_id, pending_id, kind, purpose, debit, credit, amount, currency, payment_id)
        values ($1::text, $2::int8, $3::text, $4::text, $5::int8, $6::int8, $7::int8, $8::text, $9::uuid) returning id
        """)

    /// The payment's last hold, and how it was resolved.
    static let hold = Statement(
        "pay_hold",
        """
        select t.id, t.debit, t.credit, t.amount, r.kind
        from wf_pay.transfer t left join wf_pay.transfer r on r.pending_id = t.id
        where t.payment_id = $1::uuid and t.kind = 'pending' order by t.id desc limit 1
        """)

    static let transfersOfPayment = Statement(
        "pay_transfers",
        """
        select t.kind, t.purpose, d.code, c.code, t.amount, t.currency
        from wf_pay.transfer t join wf_pay.account d on d.id = t.debit join wf_pay.account c on c.id = t.credit
        where t.payment_id = $1::uuid order by t.id
        """)

    // MARK: Stock

    static let lockItem = Statement(
        "pay_lock_item", "select available from wf_pay.stock_item where sku = $1::text for update")

    static let expireHolds = Statement(
        "pay_expire_holds",
        """
        with gone as (
            update wf_pay.stock_hold set state = 'EXPIRED', released_at = clock_timestamp()
            where sku = $1::text and state = 'HELD' and expires_at <= clock_timestamp() returning qty)
        update wf_pay.stock_item set available = available + (select sum(qty) from gone)::int8, version = version + 1
        where sku = $1::text and exists (select from gone)
        """)

    static let takeStock = Statement(
        "pay_take_stock",
        """
        update wf_pay.stock_item set available = available - $2::int8, version = version + 1
        where sku = $1::text and available >= $2::int8
        """)

    static let insertStockHold = Statement(
        "pay_insert_stock_hold",
        """
        insert into wf_pay.stock_hold (payment_id, sku, qty, expires_at)
        values ($1::uuid, $2::text, $3::int8, clock_timestamp() + make_interval(secs => $4::float8))
        """)

    static let releaseHolds = Statement(
        "pay_release_holds",
        """
        update wf_pay.stock_hold set state = 'RELEASED', released_at = clock_timestamp()
        where payment_id = $1::uuid and state in ('HELD', 'COMMITTED') returning sku, qty
        """)

    static let returnStock = Statement(
        "pay_return_stock",
        "update wf_pay.stock_item set available = available + $2::int8, version = version + 1 where sku = $1::text")

    static let commitHolds = Statement(
        "pay_commit_holds",
        """
        update wf_pay.stock_hold set state = 'COMMITTED'
        where payment_id = $1::uuid and state = 'HELD' and expires_at > clock_timestamp()
        """)

    static let looseHolds = Statement(
        "pay_loose_holds",
        "select count(*) from wf_pay.stock_hold where payment_id = $1::uuid and state in ('HELD', 'EXPIRED')")

    // MARK: Shipping

    static let insertShipment = Statement(
        "pay_insert_shipment",
        """
        insert into wf_pay.shipment (payment_id, carrier_ref, status) values ($1::uuid, $2::text, 'SCHEDULED')
        on conflict (payment_id) do nothing
        """)

    static let shipment = Statement(
        "pay_shipment", "select carrier_ref, status from wf_pay.shipment where payment_id = $1::uuid")

    static let cancelShipment = Statement(
        "pay_cancel_shipment",
        "update wf_pay.shipment set status = 'CANCELED', updated_at = now() where payment_id = $1::uuid")

    // MARK: Refunds

    static let insertRefund = Statement(
        "pay_insert_refund",
        """
        insert into wf_pay.refund (id, payment_id, amount, reason) values ($1::text, $2::uuid, $3::int8, $4::text)
        on conflict (id) do nothing
        """)

    /// What is refunded or about to be; the payment's row is locked.
    static let refundsSum = Statement(
        "pay_refunds_sum",
        """
        select coalesce(sum(amount), 0)::int8 from wf_pay.refund where payment_id = $1::uuid and status <> 'FAILED'
        """)

    static let refund = Statement(
        "pay_refund",
        "select payment_id::text, amount, status, provider_ref from wf_pay.refund where id = $1::text for update")

    static let refundByProviderRef = Statement(
        "pay_refund_by_ref",
        "select id, payment_id::text, amount, status from wf_pay.refund where provider_ref = $1::text")

    static let endRefund = Statement(
        "pay_end_refund",
        """
        update wf_pay.refund set status = $2::text, provider_ref = coalesce($3::text, provider_ref), updated_at = now()
        where id = $1::text and status <> $2::text
        """)

    // MARK: Webhooks

    static let insertProviderEvent = Statement(
        "pay_insert_provider_event",
        """
        insert into wf_pay.provider_event (id, provider, type, object_id, payment_id)
        values ($1::text, $2::text, $3::text, $4::text, $5::uuid) on conflict do nothing
        """)

    static let paymentOfRef = Statement(
        "pay_payment_of_ref",
        "select id::text, merchant from wf_pay.payment where provider = $1::text and provider_ref = $2::text")
}
