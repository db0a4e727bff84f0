"""Why an order was cancelled: what its ``reason_code`` says to people, in the five languages, and that it took nothing.

One place for everybody who shows it. A code is that of the refusal that ended the payment, or of who ended it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

BUYER: Final = "buyer"
FALLBACK: Final = "en"

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    BUYER: {
        "en": "You cancelled the order.",
        "th": "คุณยกเลิกคำสั่งซื้อนี้แล้ว",
        "id": "Anda membatalkan pesanan ini.",
        "ms": "Anda telah membatalkan pesanan ini.",
        "vi": "Bạn đã hủy đơn hàng này.",
    },
    "commerce.stock.sold_out": {
        "en": "Something in the order sold out before it could be paid.",
        "th": "สินค้าบางรายการหมดก่อนชำระเงินเสร็จ",
        "id": "Ada barang yang habis sebelum pesanan dibayar.",
        "ms": "Ada barang yang habis dijual sebelum pesanan dibayar.",
        "vi": "Có sản phẩm đã hết hàng trước khi thanh toán xong.",
    },
    "commerce.stock.hold_expired": {
        "en": "The payment took too long and the items went back on sale.",
        "th": "การชำระเงินใช้เวลานานเกินไป สินค้าจึงถูกนำกลับไปขาย",
        "id": "Pembayaran terlalu lama sehingga barang dijual kembali.",
        "ms": "Pembayaran mengambil masa terlalu lama, jadi barang dijual semula.",
        "vi": "Thanh toán mất quá nhiều thời gian nên sản phẩm được bán lại.",
    },
    "commerce.shop.closed": {
        "en": "The shop closed before the order was confirmed.",
        "th": "ร้านค้าปิดก่อนที่คำสั่งซื้อจะได้รับการยืนยัน",
        "id": "Toko tutup sebelum pesanan dikonfirmasi.",
        "ms": "Kedai ditutup sebelum pesanan disahkan.",
        "vi": "Cửa hàng đã đóng trước khi đơn hàng được xác nhận.",
    },
    "commerce.checkout.part_failed": {
        "en": "One of the orders that were to be paid together could not be completed.",
        "th": "คำสั่งซื้อหนึ่งในรายการที่ต้องชำระเงินพร้อมกันไม่สามารถดำเนินการให้เสร็จได้",
        "id": "Salah satu pesanan yang harus dibayar bersama tidak dapat diselesaikan.",
        "ms": "Salah satu pesanan yang perlu dibayar bersama tidak dapat diselesaikan.",
        "vi": "Một trong các đơn hàng được thanh toán cùng nhau không thể hoàn tất.",
    },
    "commerce.account.ended": {
        "en": "The buyer's account was deleted.",
        "th": "บัญชีของผู้ซื้อถูกลบแล้ว",
        "id": "Akun pembeli telah dihapus.",
        "ms": "Akaun pembeli telah dipadam.",
        "vi": "Tài khoản của người mua đã bị xóa.",
    },
    "payment.wallet.insufficient_funds": {
        "en": "There was not enough money in your wallet. Top it up and order again.",
        "th": "ยอดเงินในกระเป๋าไม่พอ กรุณาเติมเงินแล้วสั่งซื้ออีกครั้ง",
        "id": "Saldo dompet Anda tidak cukup. Isi saldo lalu pesan lagi.",
        "ms": "Baki dompet anda tidak mencukupi. Sila tambah nilai dan pesan semula.",
        "vi": "Số dư ví của bạn không đủ. Hãy nạp thêm tiền rồi đặt lại.",
    },
    "payment.wallet.not_found": {
        "en": "You have no such wallet in the order's currency. Open or choose another and order again.",
        "th": "คุณไม่มีกระเป๋าเงินนี้ในสกุลเงินของคำสั่งซื้อ กรุณาเปิดหรือเลือกกระเป๋าอื่นแล้วสั่งซื้ออีกครั้ง",
        "id": "Anda tidak punya dompet itu dalam mata uang pesanan ini. Buka atau pilih dompet lain lalu pesan lagi.",
        "ms": "Anda tiada dompet itu dalam mata wang pesanan ini. Buka atau pilih dompet lain dan pesan semula.",
        "vi": "Bạn không có ví đó bằng loại tiền của đơn hàng. Hãy mở hoặc chọn ví khác rồi đặt lại.",
    },
    "payment.wallet.not_active": {
        "en": "Your wallet is suspended or closed.",
        "th": "กระเป๋าเงินของคุณถูกระงับหรือปิดแล้ว",
        "id": "Dompet Anda ditangguhkan atau ditutup.",
        "ms": "Dompet anda digantung atau ditutup.",
        "vi": "Ví của bạn đang bị tạm khóa hoặc đã đóng.",
    },
    "payment.limit": {
        "en": "The payment would go over a limit of your wallet.",
        "th": "การชำระเงินนี้เกินวงเงินของกระเป๋าคุณ",
        "id": "Pembayaran ini melampaui batas dompet Anda.",
        "ms": "Pembayaran ini melebihi had dompet anda.",
        "vi": "Khoản thanh toán vượt hạn mức ví của bạn.",
    },
    "payment": {
        "en": "The payment did not go through.",
        "th": "การชำระเงินไม่สำเร็จ",
        "id": "Pembayaran tidak berhasil.",
        "ms": "Pembayaran tidak berjaya.",
        "vi": "Thanh toán không thành công.",
    },
    "orchestrator": {
        "en": "The order took too long to complete.",
        "th": "การดำเนินการคำสั่งซื้อใช้เวลานานเกินไป",
        "id": "Pesanan terlalu lama diproses.",
        "ms": "Pesanan mengambil masa terlalu lama untuk diselesaikan.",
        "vi": "Đơn hàng mất quá nhiều thời gian để hoàn tất.",
    },
    "orchestrator.saga.forced_by_operator": {
        "en": "Our support team cancelled the order.",
        "th": "ทีมสนับสนุนของเรายกเลิกคำสั่งซื้อนี้",
        "id": "Tim dukungan kami membatalkan pesanan ini.",
        "ms": "Pasukan sokongan kami membatalkan pesanan ini.",
        "vi": "Đội hỗ trợ của chúng tôi đã hủy đơn hàng này.",
    },
    "": {
        "en": "The order could not be completed.",
        "th": "ไม่สามารถดำเนินการคำสั่งซื้อให้เสร็จได้",
        "id": "Pesanan tidak dapat diselesaikan.",
        "ms": "Pesanan tidak dapat diselesaikan.",
        "vi": "Không thể hoàn tất đơn hàng.",
    },
}

_NO_MONEY_TAKEN: Final[Mapping[str, str]] = {
    "en": "No money was taken.",
    "th": "ไม่มีการหักเงิน",
    "id": "Tidak ada uang yang ditarik.",
    "ms": "Tiada wang ditolak.",
    "vi": "Chúng tôi không trừ tiền.",
}


def known_part(code: str) -> str:
    """The longest part of the code that has a text of its own; empty where only the general one is left."""
    while code not in TEXTS:
        code = code.rpartition(".")[0]
    return code


def reason_text(code: str, language: str) -> str:
    """The sentence for a code. Unknown languages read English."""
    texts = TEXTS[known_part(code)]
    return texts.get(language, texts[FALLBACK])


def cancelled_because(code: str, language: str) -> str:
    """The sentence for a code, and that no money was taken: nothing else is known of the buyer's wallet."""
    return f"{reason_text(code, language)} {_NO_MONEY_TAKEN.get(language, _NO_MONEY_TAKEN[FALLBACK])}"
