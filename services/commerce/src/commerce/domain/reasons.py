"""Why an order was cancelled, in words its buyer can read, in the five languages."""

from __future__ import annotations

from typing import Final

BUYER_CANCELLED: Final = "buyer"

_TEXTS: Final[dict[str, dict[str, str]]] = {
    BUYER_CANCELLED: {
        "en": "You cancelled the order. No money was taken.",
        "th": "คุณยกเลิกคำสั่งซื้อนี้แล้ว ไม่มีการหักเงิน",
        "id": "Anda membatalkan pesanan ini. Tidak ada uang yang ditarik.",
        "ms": "Anda telah membatalkan pesanan ini. Tiada wang ditolak.",
        "vi": "Bạn đã hủy đơn hàng này. Chúng tôi không trừ tiền.",
    },
    "commerce.stock.sold_out": {
        "en": "Something in the order sold out before it could be paid. No money was taken.",
        "th": "สินค้าบางรายการหมดก่อนชำระเงินเสร็จ ไม่มีการหักเงิน",
        "id": "Ada barang yang habis sebelum pesanan dibayar. Tidak ada uang yang ditarik.",
        "ms": "Ada barang yang habis dijual sebelum pesanan dibayar. Tiada wang ditolak.",
        "vi": "Có sản phẩm đã hết hàng trước khi thanh toán xong. Chúng tôi không trừ tiền.",
    },
    "commerce.stock.hold_expired": {
        "en": "The payment took too long and the items went back on sale. No money was taken.",
        "th": "การชำระเงินใช้เวลานานเกินไป สินค้าจึงถูกนำกลับไปขาย ไม่มีการหักเงิน",
        "id": "Pembayaran terlalu lama sehingga barang dijual kembali. Tidak ada uang yang ditarik.",
        "ms": "Pembayaran mengambil masa terlalu lama, jadi barang dijual semula. Tiada wang ditolak.",
        "vi": "Thanh toán mất quá nhiều thời gian nên sản phẩm được bán lại. Chúng tôi không trừ tiền.",
    },
    "payment.wallet.insufficient_funds": {
        "en": "There was not enough money in your wallet. Top it up and order again.",
        "th": "ยอดเงินในกระเป๋าไม่พอ กรุณาเติมเงินแล้วสั่งซื้ออีกครั้ง",
        "id": "Saldo dompet Anda tidak cukup. Isi saldo lalu pesan lagi.",
        "ms": "Baki dompet anda tidak mencukupi. Sila tambah nilai dan pesan semula.",
        "vi": "Số dư ví của bạn không đủ. Hãy nạp thêm tiền rồi đặt lại.",
    },
    "payment.wallet.not_found": {
        "en": "You have no wallet in the order's currency. Open one and order again.",
        "th": "คุณยังไม่มีกระเป๋าเงินในสกุลเงินของคำสั่งซื้อ กรุณาเปิดกระเป๋าแล้วสั่งซื้ออีกครั้ง",
        "id": "Anda belum punya dompet dalam mata uang pesanan ini. Buka dompet lalu pesan lagi.",
        "ms": "Anda tiada dompet dalam mata wang pesanan ini. Buka dompet dan pesan semula.",
        "vi": "Bạn chưa có ví bằng loại tiền của đơn hàng. Hãy mở ví rồi đặt lại.",
    },
    "payment.limit": {
        "en": "The payment would go over a limit of your wallet. No money was taken.",
        "th": "การชำระเงินนี้เกินวงเงินของกระเป๋าคุณ ไม่มีการหักเงิน",
        "id": "Pembayaran ini melampaui batas dompet Anda. Tidak ada uang yang ditarik.",
        "ms": "Pembayaran ini melebihi had dompet anda. Tiada wang ditolak.",
        "vi": "Khoản thanh toán vượt hạn mức ví của bạn. Chúng tôi không trừ tiền.",
    },
    "payment": {
        "en": "The payment did not go through. No money was taken.",
        "th": "การชำระเงินไม่สำเร็จ ไม่มีการหักเงิน",
        "id": "Pembayaran tidak berhasil. Tidak ada uang yang ditarik.",
        "ms": "Pembayaran tidak berjaya. Tiada wang ditolak.",
        "vi": "Thanh toán không thành công. Chúng tôi không trừ tiền.",
    },
    "": {
        "en": "The order could not be completed. No money was taken.",
        "th": "ไม่สามารถดำเนินการคำสั่งซื้อให้เสร็จได้ ไม่มีการหักเงิน",
        "id": "Pesanan tidak dapat diselesaikan. Tidak ada uang yang ditarik.",
        "ms": "Pesanan tidak dapat diselesaikan. Tiada wang ditolak.",
        "vi": "Không thể hoàn tất đơn hàng. Chúng tôi không trừ tiền.",
    },
}


def reason_text(code: str, language: str) -> str:
    """The sentence for the code, or for the nearest part of it that has one."""
    while code not in _TEXTS:
        code = code.rpartition(".")[0]
    texts = _TEXTS[code]
    return texts.get(language, texts["en"])
