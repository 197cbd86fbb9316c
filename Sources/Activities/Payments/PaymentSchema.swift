/// The tables of the payment family, schema `wf_pay`; applied after the engine's schema, which brings `outbox`.
///
/// Business facts only: the truth of the process is the workflow's history. Every statement may run again.
public enum PaymentSchema {
    public static let name = "wf_pay"

    /// The parts in the order in which they are applied.
    public static let sql = [payments, ledger, stockAndShipping, provider, reconcile].joined(separator: "\n")

    private static let payments = """
        create schema if not exists wf_pay;

        -- One row a payment. Money is in minor units of the currency.
        create table if not exists wf_pay.payment (
            id uuid primary key,
            merchant text not null,
            idempotency_key text not null,
            order_id text not null,
            amount bigint not null check (amount > 0),
            currency text not null check (currency ~ '^[A-Z]{3}$'),
            -- PENDING, PROCESSING, COMPLETED, FAILED, REFUNDED
            status text not null default 'PENDING',
            -- '', requires_action, authorized, captured, partially_refunded, disputed
            substate text not null default '',
            -- Goes up with every change; writers name the version they read.
            version bigint not null default 1,
            provider text not null,
            -- The provider's intent that is or was authorized.
            provider_ref text,
            authorized bigint not null default 0 check (authorized between 0 and amount),
            captured bigint not null default 0 check (captured between 0 and amount),
            refunded bigint not null default 0 check (refunded between 0 and captured),
            fee bigint not null default 0,
            failure_code text,
            failure_message text,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            unique (merchant, idempotency_key)
        );
        create unique index if not exists payment_by_provider_ref on wf_pay.payment (provider, provider_ref)
            where provider_ref is not null;

        -- Where a payment may go from where it is; anything else is refused.
        create table if not exists wf_pay.transition_allowed (
            from_status text not null,
            from_substate text not null,
            to_status text not null,
            to_substate text not null,
            primary key (from_status, from_substate, to_status, to_substate)
        );
        insert into wf_pay.transition_allowed values
            ('PENDING', '', 'PROCESSING', ''),
            ('PENDING', '', 'FAILED', ''),
            ('PROCESSING', '', 'PROCESSING', 'requires_action'),
            ('PROCESSING', '', 'PROCESSING', 'authorized'),
            ('PROCESSING', '', 'FAILED', ''),
            ('PROCESSING', 'requires_action', 'PROCESSING', ''),
            ('PROCESSING', 'requires_action', 'PROCESSING', 'authorized'),
            ('PROCESSING', 'requires_action', 'FAILED', ''),
            ('PROCESSING', 'authorized', 'PROCESSING', 'captured'),
            ('PROCESSING', 'authorized', 'FAILED', ''),
            ('PROCESSING', 'captured', 'COMPLETED', 'captured'),
            ('PROCESSING', 'captured', 'REFUNDED', ''),
            ('COMPLETED', 'captured', 'COMPLETED', 'partially_refunded'),
            ('COMPLETED', 'captured', 'REFUNDED', ''),
            ('COMPLETED', 'captured', 'COMPLETED', 'disputed'),
            ('COMPLETED', 'partially_refunded', 'REFUNDED', ''),
            ('COMPLETED', 'partially_refunded', 'COMPLETED', 'disputed'),
            ('COMPLETED', 'partially_refunded', 'COMPLETED', 'captured'),
            ('COMPLETED', 'disputed', 'COMPLETED', 'captured'),
            ('COMPLETED', 'disputed', 'REFUNDED', ''),
            -- A refund that the bank sent back.
            ('REFUNDED', '', 'COMPLETED', 'captured'),
            ('REFUNDED', '', 'COMPLETED', 'partially_refunded')
        on conflict do nothing;

        create or replace function wf_pay.guard_transition() returns trigger language plpgsql as $$
        begin
            if (old.status, old.substate) is distinct from (new.status, new.substate) and not exists (
                select from wf_pay.transition_allowed
                where (from_status, from_substate, to_status, to_substate)
                    = (old.status, old.substate, new.status, new.substate))
            then
                raise exception 'a payment may not go from %/% to %/%', old.status, old.substate, new.status, new.substate
                    using errcode = 'PAY01';
            end if;
            if new.version <> old.version + 1 then
                raise exception 'expected version %, got %', old.version + 1, new.version using errcode = 'PAY02';
            end if;
            return new;
        end $$;
        create or replace trigger payment_transition before update on wf_pay.payment
            for each row execute function wf_pay.guard_transition();

        -- One row an effect: its key, how often it was begun, and what came of it. A repeated effect finds its result here.
        create table if not exists wf_pay.op (
            op_id text primary key,
            payment_id uuid not null,
            step text not null,
            attempts integer not null default 1,
            started_at timestamptz not null default now(),
            last_attempt_at timestamptz not null default now(),
            -- Null while the effect's outcome is not known.
            result jsonb,
            ended_at timestamptz
        );
        create index if not exists op_by_payment on wf_pay.op (payment_id, started_at);

        create table if not exists wf_pay.refund (
            id text primary key,
            payment_id uuid not null references wf_pay.payment,
            amount bigint not null check (amount > 0),
            -- PENDING, SUCCEEDED, FAILED
            status text not null default 'PENDING',
            reason text not null default '',
            provider_ref text,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now()
        );
        create index if not exists refund_by_payment on wf_pay.refund (payment_id);
        create unique index if not exists refund_by_provider_ref on wf_pay.refund (provider_ref) where provider_ref is not null;
        """

    private static let ledger = """
        create table if not exists wf_pay.account (
            id bigint generated always as identity primary key,
            code text not null,
            type text not null check (type in ('asset', 'liability', 'expense')),
            currency text not null,
            unique (code, currency)
        );

        -- The ledger: one debit and one credit a row, so the books balance by construction. Rows are only ever added.
        create table if not exists wf_pay.transfer (
            id bigint generated always as identity primary key,
            op_id text not null unique,
            -- What a post or void resolves.
            pending_id bigint references wf_pay.transfer,
            kind text not null check (kind in ('pending', 'post', 'void')),
            -- hold, capture, fee, refund, refund_failed, release
            purpose text not null,
            debit bigint not null references wf_pay.account,
            credit bigint not null references wf_pay.account,
            amount bigint not null check (amount > 0),
            currency text not null,
            payment_id uuid not null references wf_pay.payment,
            at timestamptz not null default clock_timestamp(),
            check (debit <> credit),
            check (kind <> 'pending' or pending_id is null),
            check (kind <> 'void' or pending_id is not null)
        );
        -- A pending transfer is resolved once.
        create unique index if not exists transfer_resolves_once on wf_pay.transfer (pending_id) where pending_id is not null;
        create index if not exists transfer_by_payment on wf_pay.transfer (payment_id);

        create or replace function wf_pay.refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception '% is append-only', tg_table_name using errcode = 'PAY03';
        end $$;
        create or replace trigger transfer_append_only before update or delete on wf_pay.transfer
            for each row execute function wf_pay.refuse_change();
        create or replace trigger transfer_no_truncate before truncate on wf_pay.transfer
            for each statement execute function wf_pay.refuse_change();

        create or replace function wf_pay.guard_transfer() returns trigger language plpgsql as $$
        declare
            held wf_pay.transfer;
        begin
            if (select count(*) from wf_pay.account where id in (new.debit, new.credit) and currency = new.currency) <> 2 then
                raise exception 'both accounts of a transfer have its currency' using errcode = 'PAY04';
            end if;
            if new.pending_id is null then return new; end if;
            select * into held from wf_pay.transfer where id = new.pending_id;
            if held.kind <> 'pending' or held.payment_id <> new.payment_id or held.currency <> new.currency
                or held.debit <> new.debit or held.credit <> new.credit or new.amount > held.amount
            then
                raise exception 'transfer does not fit the pending one' using errcode = 'PAY04';
            end if;
            return new;
        end $$;
        create or replace trigger transfer_guard before insert on wf_pay.transfer
            for each row execute function wf_pay.guard_transfer();

        -- Balances per account: posted, and what pending transfers would add.
        create or replace view wf_pay.balance as
        select a.code, a.currency,
            coalesce(sum(case when t.kind = 'post' and t.debit = a.id then t.amount
                when t.kind = 'post' and t.credit = a.id then -t.amount end), 0)::bigint as posted,
            coalesce(sum(case when t.kind = 'pending' and r.id is null and t.debit = a.id then t.amount
                when t.kind = 'pending' and r.id is null and t.credit = a.id then -t.amount end), 0)::bigint as pending
        from wf_pay.account a
        left join wf_pay.transfer t on a.id in (t.debit, t.credit)
        left join wf_pay.transfer r on r.pending_id = t.id
        group by a.code, a.currency;
        """

    private static let stockAndShipping = """
        create table if not exists wf_pay.stock_item (
            sku text primary key,
            available bigint not null check (available >= 0),
            version bigint not null default 1
        );

        -- Goods set aside for a payment. A hold that expires before capture begins goes back.
        create table if not exists wf_pay.stock_hold (
            payment_id uuid not null references wf_pay.payment,
            sku text not null references wf_pay.stock_item,
            qty bigint not null check (qty > 0),
            -- HELD, COMMITTED (capture has begun), RELEASED, EXPIRED
            state text not null default 'HELD',
            expires_at timestamptz not null,
            created_at timestamptz not null default clock_timestamp(),
            released_at timestamptz,
            primary key (payment_id, sku)
        );
        create index if not exists stock_hold_expiring on wf_pay.stock_hold (sku, expires_at) where state = 'HELD';

        create table if not exists wf_pay.shipment (
            payment_id uuid primary key references wf_pay.payment,
            carrier_ref text not null,
            -- SCHEDULED, CANCELED
            status text not null,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now()
        );
        """

    private static let provider = """
        -- Webhooks that came in, once each.
        create table if not exists wf_pay.provider_event (
            id text primary key,
            provider text not null,
            type text not null,
            object_id text not null,
            payment_id uuid,
            received_at timestamptz not null default now()
        );
        """

    private static let reconcile = """
        create table if not exists wf_pay.recon_run (
            id text primary key,
            provider text not null,
            day date not null,
            provider_net bigint not null,
            ledger_net bigint not null,
            discrepancy_sum bigint not null,
            ended_at timestamptz not null default now(),
            check (provider_net = ledger_net + discrepancy_sum)
        );
        create table if not exists wf_pay.recon_item (
            run_id text not null references wf_pay.recon_run,
            payment_id text not null,
            class text not null check (class in
                ('missing_internal', 'missing_provider', 'amount_mismatch', 'state_mismatch', 'duplicate')),
            provider_amount bigint not null,
            ledger_amount bigint not null,
            primary key (run_id, payment_id, class)
        );
        """
}
