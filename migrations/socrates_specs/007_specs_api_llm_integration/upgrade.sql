-- API & LLM integration
-- Revision: 007
-- Revises: 006
-- Create Date: 2025-11-11
-- Locks: public.projects
-- Search path: pg_catalog, pg_temp
--
-- Programs use the platform, and the platform uses language models: the keys of the former, kept as hashes
-- only, the cost of the latter, and who pays for it.
--
-- Tables created:
-- - api_keys: keys with which programs act for a user, kept as hashes
-- - llm_usage_tracking: calls of language models and their cost; rows are only added
-- - subscriptions: plans that users have subscribed to
-- - invoices: invoices for the subscriptions
--
-- Target Database: socrates_specs

-- step: Creating the api_keys table
CREATE TABLE public.api_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  name varchar(255) NOT NULL,
  key_hash varchar(255) NOT NULL,
  key_preview varchar(20),
  status varchar(20) NOT NULL DEFAULT 'active',
  scope varchar[] DEFAULT '{}',
  rate_limit integer,
  usage_count integer NOT NULL DEFAULT 0,
  last_used_at timestamptz,
  expires_at timestamptz,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
);
CREATE INDEX ix_api_keys_user_id ON public.api_keys (user_id);
CREATE INDEX ix_api_keys_status ON public.api_keys (status);
CREATE INDEX ix_api_keys_last_used_at ON public.api_keys (last_used_at);
CREATE INDEX ix_api_keys_expires_at ON public.api_keys (expires_at);
CREATE INDEX ix_api_keys_created_at ON public.api_keys (created_at);
CREATE INDEX ix_api_keys_updated_at ON public.api_keys (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.api_keys
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.api_keys IS 'Keys with which programs act for a user, kept as hashes';
COMMENT ON COLUMN public.api_keys.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.api_keys.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.api_keys.name IS 'Name that the user gave the key';
COMMENT ON COLUMN public.api_keys.key_hash IS 'Hash of the key';
COMMENT ON COLUMN public.api_keys.key_preview IS 'First characters of the key, to recognize it by';
COMMENT ON COLUMN public.api_keys.status IS 'Status: active, revoked or expired';
COMMENT ON COLUMN public.api_keys.scope IS 'Permitted uses of the key';
COMMENT ON COLUMN public.api_keys.rate_limit IS 'Requests that the key may make in a period';
COMMENT ON COLUMN public.api_keys.usage_count IS 'How often the key was used';
COMMENT ON COLUMN public.api_keys.last_used_at IS 'When the key was last used';
COMMENT ON COLUMN public.api_keys.expires_at IS 'When the key expires';
COMMENT ON COLUMN public.api_keys.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.api_keys.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.api_keys.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the llm_usage_tracking table
CREATE TABLE public.llm_usage_tracking (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  project_id uuid,
  model_name varchar(100) NOT NULL,
  operation_type varchar(100),
  input_tokens integer NOT NULL,
  output_tokens integer NOT NULL,
  total_tokens integer NOT NULL,
  cost_usd numeric(10,6),
  latency_ms integer,
  status varchar(20) NOT NULL DEFAULT 'success',
  error_message text,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_llm_usage_tracking_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE SET NULL
);
CREATE INDEX ix_llm_usage_tracking_user_id ON public.llm_usage_tracking (user_id);
CREATE INDEX ix_llm_usage_tracking_project_id ON public.llm_usage_tracking (project_id);
CREATE INDEX ix_llm_usage_tracking_model_name ON public.llm_usage_tracking (model_name);
CREATE INDEX ix_llm_usage_tracking_operation_type ON public.llm_usage_tracking (operation_type);
CREATE INDEX ix_llm_usage_tracking_status ON public.llm_usage_tracking (status);
CREATE INDEX ix_llm_usage_tracking_created_at ON public.llm_usage_tracking (created_at);
CREATE INDEX ix_llm_usage_tracking_user_id_created_at ON public.llm_usage_tracking (user_id, created_at);
CREATE INDEX ix_llm_usage_tracking_project_id_created_at ON public.llm_usage_tracking (project_id, created_at);
CREATE INDEX ix_llm_usage_tracking_project_id_status ON public.llm_usage_tracking (project_id, status);
COMMENT ON TABLE public.llm_usage_tracking IS 'Calls of language models and their cost; rows are only added';
COMMENT ON COLUMN public.llm_usage_tracking.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.llm_usage_tracking.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.llm_usage_tracking.project_id IS 'Reference to projects.id, the project it was for';
COMMENT ON COLUMN public.llm_usage_tracking.model_name IS 'Name of the language model';
COMMENT ON COLUMN public.llm_usage_tracking.operation_type IS 'Kind of request to the model';
COMMENT ON COLUMN public.llm_usage_tracking.input_tokens IS 'Number of tokens sent';
COMMENT ON COLUMN public.llm_usage_tracking.output_tokens IS 'Number of tokens received';
COMMENT ON COLUMN public.llm_usage_tracking.total_tokens IS 'Number of tokens in all';
COMMENT ON COLUMN public.llm_usage_tracking.cost_usd IS 'Cost in US dollars';
COMMENT ON COLUMN public.llm_usage_tracking.latency_ms IS 'Time to the answer, in milliseconds';
COMMENT ON COLUMN public.llm_usage_tracking.status IS 'Status: success, error, timeout or rate_limited';
COMMENT ON COLUMN public.llm_usage_tracking.error_message IS 'Error message of the request';
COMMENT ON COLUMN public.llm_usage_tracking.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.llm_usage_tracking.created_at IS 'Creation timestamp';

-- step: Creating the subscriptions table
CREATE TABLE public.subscriptions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  plan_name varchar(100) NOT NULL,
  plan_type varchar(50),
  status varchar(20) NOT NULL DEFAULT 'active',
  price_usd numeric(10,2),
  billing_cycle_start timestamptz,
  billing_cycle_end timestamptz,
  stripe_customer_id varchar(255),
  stripe_subscription_id varchar(255),
  features jsonb DEFAULT '{}',
  auto_renew boolean NOT NULL DEFAULT true,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_subscriptions_user_id ON public.subscriptions (user_id);
CREATE INDEX ix_subscriptions_plan_name ON public.subscriptions (plan_name);
CREATE INDEX ix_subscriptions_status ON public.subscriptions (status);
CREATE INDEX ix_subscriptions_billing_cycle_start ON public.subscriptions (billing_cycle_start);
CREATE INDEX ix_subscriptions_billing_cycle_end ON public.subscriptions (billing_cycle_end);
CREATE INDEX ix_subscriptions_stripe_customer_id ON public.subscriptions (stripe_customer_id);
CREATE INDEX ix_subscriptions_created_at ON public.subscriptions (created_at);
CREATE INDEX ix_subscriptions_updated_at ON public.subscriptions (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.subscriptions
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.subscriptions IS 'Plans that users have subscribed to';
COMMENT ON COLUMN public.subscriptions.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.subscriptions.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.subscriptions.plan_name IS 'Plan: free, starter, professional or enterprise';
COMMENT ON COLUMN public.subscriptions.plan_type IS 'Type: monthly, yearly or usage-based';
COMMENT ON COLUMN public.subscriptions.status IS 'Status: active, cancelled, suspended, expired or past_due';
COMMENT ON COLUMN public.subscriptions.price_usd IS 'Price in US dollars';
COMMENT ON COLUMN public.subscriptions.billing_cycle_start IS 'When the period that is paid for begins';
COMMENT ON COLUMN public.subscriptions.billing_cycle_end IS 'When the period that is paid for ends';
COMMENT ON COLUMN public.subscriptions.stripe_customer_id IS 'Id of the customer at Stripe';
COMMENT ON COLUMN public.subscriptions.stripe_subscription_id IS 'Id of the subscription at Stripe';
COMMENT ON COLUMN public.subscriptions.features IS 'Features of the plan';
COMMENT ON COLUMN public.subscriptions.auto_renew IS 'Whether the plan renews by itself';
COMMENT ON COLUMN public.subscriptions.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.subscriptions.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.subscriptions.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the invoices table
CREATE TABLE public.invoices (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  subscription_id uuid,
  invoice_number varchar(50) NOT NULL,
  amount_usd numeric(10,2) NOT NULL,
  currency varchar(3) NOT NULL DEFAULT 'USD',
  status varchar(20) NOT NULL DEFAULT 'draft',
  description text,
  line_items jsonb DEFAULT '{}',
  issued_date timestamptz,
  due_date timestamptz,
  paid_date timestamptz,
  stripe_invoice_id varchar(255),
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_invoices_invoice_number UNIQUE (invoice_number),
  CONSTRAINT fk_invoices_subscription_id FOREIGN KEY (subscription_id) REFERENCES public.subscriptions (id) ON DELETE SET NULL
);
CREATE INDEX ix_invoices_user_id ON public.invoices (user_id);
CREATE INDEX ix_invoices_subscription_id ON public.invoices (subscription_id);
CREATE INDEX ix_invoices_status ON public.invoices (status);
CREATE INDEX ix_invoices_issued_date ON public.invoices (issued_date);
CREATE INDEX ix_invoices_due_date ON public.invoices (due_date);
CREATE INDEX ix_invoices_paid_date ON public.invoices (paid_date);
CREATE INDEX ix_invoices_stripe_invoice_id ON public.invoices (stripe_invoice_id);
CREATE INDEX ix_invoices_created_at ON public.invoices (created_at);
CREATE INDEX ix_invoices_updated_at ON public.invoices (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.invoices
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.invoices IS 'Invoices for the subscriptions';
COMMENT ON COLUMN public.invoices.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.invoices.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.invoices.subscription_id IS 'Reference to subscriptions.id, the subscription it is for';
COMMENT ON COLUMN public.invoices.invoice_number IS 'Number of the invoice';
COMMENT ON COLUMN public.invoices.amount_usd IS 'Amount in US dollars';
COMMENT ON COLUMN public.invoices.currency IS 'ISO code of the currency that is paid in';
COMMENT ON COLUMN public.invoices.status IS 'Status: draft, sent, paid, overdue or cancelled';
COMMENT ON COLUMN public.invoices.description IS 'Purpose of the invoice';
COMMENT ON COLUMN public.invoices.line_items IS 'Items of the invoice';
COMMENT ON COLUMN public.invoices.issued_date IS 'When the invoice was issued';
COMMENT ON COLUMN public.invoices.due_date IS 'When the invoice is due';
COMMENT ON COLUMN public.invoices.paid_date IS 'When the invoice was paid';
COMMENT ON COLUMN public.invoices.stripe_invoice_id IS 'Id of the invoice at Stripe';
COMMENT ON COLUMN public.invoices.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.invoices.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.invoices.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';
