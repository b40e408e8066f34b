"""The methods that sell for Telegram Stars."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.telegram.access import Access
from tests.fakes.telegram.messages import Messages
from tests.fakes.telegram.methods import Parameters, only_known
from tests.fakes.telegram.refusals import bad_request
from tests.fakes.telegram.switchboard import Switchboard
from tests.fakes.telegram.world import Body, BotAccount, Invoice

#: The only length of a subscription: https://core.telegram.org/bots/api#createinvoicelink.
MONTH_S = 2_592_000
MOST_STARS = 10_000


@dataclass(frozen=True)
class Stars:
    """What one bot offers and was paid."""

    switchboard: Switchboard
    bot: BotAccount
    access: Access
    messages: Messages

    def send_invoice(self, parameters: Parameters) -> Body:
        """An offer as a message."""
        chat = self.access.chat_to_write(parameters, "text")
        invoice = self._invoice(parameters)
        shown = {
            "title": invoice.title,
            "description": parameters["description"],
            "start_parameter": parameters.get("start_parameter", ""),
            "currency": "XTR",
            "total_amount": invoice.total_amount,
        }
        sent = self.messages.send(chat, {"invoice": shown}, parameters)
        self.switchboard.world.invoices[f"{chat.key}/{sent['message_id']}"] = invoice
        return sent

    def create_invoice_link(self, parameters: Parameters) -> str:
        """An offer as a link."""
        invoice = self._invoice(parameters)
        world = self.switchboard.world
        link = f"https://t.me/$invoice{world.new_id()}"
        world.invoices[link] = invoice
        return link

    def refund(self, parameters: Parameters) -> bool:
        """Give Stars back, once."""
        world = self.switchboard.world
        payment = world.payments.get(parameters["telegram_payment_charge_id"])
        if (
            payment is None
            or payment.bot_id != self.bot.id
            or payment.user_id != parameters["user_id"]
        ):
            raise bad_request("CHARGE_NOT_FOUND")
        if payment.is_refunded:
            raise bad_request("CHARGE_ALREADY_REFUNDED")
        payment.is_refunded = True
        chat = world.chat(payment.user_id, self.bot.id)
        if chat is not None:
            refunded = {
                "currency": "XTR",
                "total_amount": payment.amount,
                "invoice_payload": payment.payload,
                "telegram_payment_charge_id": payment.charge_id,
            }
            user = world.users[payment.user_id].as_json()
            self.switchboard.post(chat, {"refunded_payment": refunded}, sender=user)
        return True

    def transactions(self, parameters: Parameters) -> Body:
        """What was paid, oldest first."""
        world = self.switchboard.world
        ours = [
            {
                "id": payment.charge_id,
                "amount": payment.amount,
                "date": payment.date,
                "source": {
                    "type": "user",
                    "transaction_type": "invoice_payment",
                    "user": world.users[payment.user_id].as_json(),
                    "invoice_payload": payment.payload,
                },
            }
            for payment in world.payments.values()
            if payment.bot_id == self.bot.id
        ]
        start = parameters.get("offset", 0)
        return {"transactions": ours[start : start + parameters.get("limit", 100)]}

    def _invoice(self, parameters: Parameters) -> Invoice:
        if not 1 <= len(parameters["title"]) <= 32:
            raise bad_request("INVOICE_TITLE_INVALID")
        if not 1 <= len(parameters["description"]) <= 255:
            raise bad_request("INVOICE_DESCRIPTION_INVALID")
        if not 1 <= len(parameters["payload"].encode()) <= 128:
            raise bad_request("INVOICE_PAYLOAD_INVALID")
        if parameters["currency"] != "XTR":
            raise bad_request("CURRENCY_INVALID")
        if parameters.get("provider_token"):
            raise bad_request("PAYMENT_PROVIDER_INVALID")
        prices = [only_known("LabeledPrice", price) for price in parameters["prices"]]
        # "Must contain exactly one item for payments in Telegram Stars."
        if len(prices) != 1 or not 1 <= int(prices[0]["amount"]) <= MOST_STARS:
            raise bad_request("STARS_INVOICE_INVALID")
        period = parameters.get("subscription_period")
        if period not in {None, MONTH_S}:
            raise bad_request("SUBSCRIPTION_PERIOD_INVALID")
        return Invoice(
            bot_id=self.bot.id,
            title=parameters["title"],
            payload=parameters["payload"],
            total_amount=int(prices[0]["amount"]),
            subscription_period=period,
        )
